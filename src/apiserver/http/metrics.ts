import type { Clock } from '../../base/clock.ts';
import type { Storage } from '../storage/storage.ts';

const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

interface Series {
  readonly codes: Map<number, number>;
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Counts requests; writes what it counted in Prometheus' text format, with upstream's metric names. */
export interface Metrics {
  /** `seconds` undefined for watches and connections, which have no duration worth the name. */
  observe(verb: string, labels: string, code: number, seconds: number | undefined): void;
  render(storage: Storage, inflight: { readonly reading: number; readonly mutating: number }): string;
}

/** The labels of a resource, made once for each route. */
export function resourceLabels(
  group: string,
  version: string,
  resource: string,
  subresource: string,
  scope: string,
): string {
  return `group="${group}",resource="${resource}",scope="${scope}",subresource="${subresource}",version="${version}"`;
}

export function createMetrics(clock: Clock): Metrics {
  const startedAt = clock.now();
  /** By labels, then verb, so that counting builds no text. */
  const series = new Map<string, Map<string, Series>>();
  const seriesOf = (labels: string, verb: string): Series => {
    let verbs = series.get(labels);
    if (!verbs) {
      verbs = new Map();
      series.set(labels, verbs);
    }
    let found = verbs.get(verb);
    if (!found) {
      found = { codes: new Map(), counts: buckets.map(() => 0), sum: 0, count: 0 };
      verbs.set(verb, found);
    }
    return found;
  };
  const all = function* (): Generator<readonly [string, Series]> {
    for (const [labels, verbs] of series) for (const [verb, it] of verbs) yield [`${labels},verb="${verb}"`, it];
  };
  return {
    observe(verb, labels, code, seconds) {
      const it = seriesOf(labels, verb);
      it.codes.set(code, (it.codes.get(code) ?? 0) + 1);
      if (seconds === undefined) return;
      it.sum += seconds;
      it.count += 1;
      const index = buckets.findIndex((bound) => seconds <= bound);
      if (index >= 0) it.counts[index] = (it.counts[index] ?? 0) + 1;
    },
    render(storage, inflight) {
      const lines: string[] = [];
      const metric = (name: string, type: string, help: string): void => {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      };
      metric(
        'apiserver_request_total',
        'counter',
        'Counter of apiserver requests broken out for each verb, resource and HTTP response code.',
      );
      for (const [text, { codes }] of all()) {
        for (const [code, value] of codes) lines.push(`apiserver_request_total{code="${code}",${text}} ${value}`);
      }
      metric(
        'apiserver_request_duration_seconds',
        'histogram',
        'Response latency distribution in seconds for each verb and resource.',
      );
      for (const [text, { counts, sum, count }] of all()) {
        if (count === 0) continue;
        let cumulative = 0;
        buckets.forEach((bound, i) => {
          cumulative += counts[i] ?? 0;
          lines.push(`apiserver_request_duration_seconds_bucket{${text},le="${bound}"} ${cumulative}`);
        });
        lines.push(
          `apiserver_request_duration_seconds_bucket{${text},le="+Inf"} ${count}`,
          `apiserver_request_duration_seconds_sum{${text}} ${sum}`,
          `apiserver_request_duration_seconds_count{${text}} ${count}`,
        );
      }
      metric('apiserver_current_inflight_requests', 'gauge', 'Number of requests being served now, by kind.');
      lines.push(
        `apiserver_current_inflight_requests{request_kind="mutating"} ${inflight.mutating}`,
        `apiserver_current_inflight_requests{request_kind="readOnly"} ${inflight.reading}`,
      );
      metric('apiserver_storage_objects', 'gauge', 'Number of stored objects by resource.');
      metric('apiserver_registered_watchers', 'gauge', 'Number of watches by resource.');
      for (const { kind, cache } of storage.resources()) {
        const { group, plural } = kind.resource;
        const name = group === '' ? plural : `${plural}.${group}`;
        lines.push(`apiserver_storage_objects{resource="${name}"} ${cache.objects.size}`);
        if (cache.watchers > 0) lines.push(`apiserver_registered_watchers{resource="${name}"} ${cache.watchers}`);
      }
      const memory = process.memoryUsage();
      const cpu = process.cpuUsage();
      metric('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.');
      lines.push(`process_resident_memory_bytes ${memory.rss}`);
      metric('nodejs_heap_used_bytes', 'gauge', 'Bytes of the heap in use.');
      lines.push(`nodejs_heap_used_bytes ${memory.heapUsed}`);
      metric('process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.');
      lines.push(`process_cpu_seconds_total ${(cpu.user + cpu.system) / 1e6}`);
      metric('process_start_time_seconds', 'gauge', 'Start time of the process since unix epoch in seconds.');
      lines.push(`process_start_time_seconds ${startedAt / 1000}`);
      return `${lines.join('\n')}\n`;
    },
  };
}
