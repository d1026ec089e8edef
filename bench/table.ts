import { cpus, loadavg, totalmem } from 'node:os';

export interface Row {
  readonly what: string;
  readonly measured: string;
  /** The same of the peer measured in the same run, and how many times its cost or time ours is. */
  readonly peer?: string;
  readonly aim: string;
}

/** The machine in one line, for the head of a table, with how busy it was when the run ended. */
export function machineLine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const busy = loadavg()
    .slice(0, 2)
    .map((it) => it.toFixed(1))
    .join(' and ');
  return `${cpus().length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}; load ${busy} (1 and 5 minutes)`;
}

/** A Markdown table, columns padded. */
export function renderTable(rows: readonly Row[]): string {
  const keys = ['what', 'measured', 'peer', 'aim'] as const;
  const head: Row = { what: 'what', measured: 'measured', peer: 'bare server', aim: 'aim' };
  const all = [head, ...rows];
  const widths = keys.map((key) => Math.max(...all.map((row) => (row[key] ?? '').length)));
  const line = (row: Row): string => `| ${keys.map((key, i) => (row[key] ?? '').padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
