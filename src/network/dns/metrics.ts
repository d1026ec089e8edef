/** Counters by name and labels, shown in Prometheus' text format. */
export interface Counters {
  count(metric: string, labels?: Readonly<Record<string, string>>): void;
  text(): string;
}

export function counters(): Counters {
  const values = new Map<string, Map<string, number>>();
  return {
    count(metric, labels = {}) {
      let series = values.get(metric);
      if (!series) {
        series = new Map();
        values.set(metric, series);
      }
      const key = Object.entries(labels)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',');
      series.set(key, (series.get(key) ?? 0) + 1);
    },
    text() {
      let out = '';
      for (const [metric, series] of values) {
        out += `# TYPE ${metric} counter\n`;
        for (const [labels, value] of series) out += `${metric}${labels ? `{${labels}}` : ''} ${value}\n`;
      }
      return out;
    },
  };
}
