import { cpus, totalmem } from 'node:os';

export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly aim: string;
}

/** The machine in one line, for the head of a table. */
export function machineLine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${cpus().length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}

/** A Markdown table, columns padded. */
export function renderTable(rows: readonly Row[]): string {
  const all = [{ what: 'what', measured: 'measured', aim: 'aim' }, ...rows];
  const width = (key: keyof Row): number => Math.max(...all.map((row) => row[key].length));
  const [a, b, c] = [width('what'), width('measured'), width('aim')];
  const line = (row: Row): string => `| ${row.what.padEnd(a)} | ${row.measured.padEnd(b)} | ${row.aim.padEnd(c)} |`;
  const [head, ...rest] = all;
  return [line(head as Row), `| ${'-'.repeat(a)} | ${'-'.repeat(b)} | ${'-'.repeat(c)} |`, ...rest.map(line)].join(
    '\n',
  );
}
