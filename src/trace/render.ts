import type { V1Pod } from '../api/generated/types.ts';
import { type Span, type Step, steps } from '../api/trace.ts';

/** One line of a trace, ready to be shown or sent as JSON. */
export interface TraceLine {
  /** Milliseconds since the first mark. */
  readonly at: number;
  /** Undefined where only the moment is known. */
  readonly took?: number;
  readonly component: string;
  readonly what: string;
  readonly writer?: string;
  readonly revision?: number;
  readonly source?: string;
  readonly error?: string;
}

export interface TraceStep {
  readonly number: number;
  readonly step: Step;
  readonly lines: readonly TraceLine[];
  /** Milliseconds: of all its lines together, overlaps counted once. */
  readonly took: number;
}

export interface Trace {
  readonly subject: string;
  readonly start: number;
  readonly steps: readonly TraceStep[];
  /** From the first mark to Ready, or to the last mark. */
  readonly total: number;
  /** True when it was put together from what the cluster shows, not measured. */
  readonly reconstructed: boolean;
}

/** Repeats of a step beyond this many are counted, not shown. */
const maxLines = 12;

/** The spans sorted into the ten steps. Pure. */
export function traceOf(pod: V1Pod, spans: readonly Span[]): Trace {
  const sorted = [...withClient(spans)].sort((a, b) => a.start - b.start || a.end - b.end);
  const start = sorted[0]?.start ?? 0;
  const end = sorted.reduce((latest, it) => Math.max(latest, it.end), start);
  return {
    subject: `pod ${pod.metadata?.namespace ?? 'default'}/${pod.metadata?.name ?? ''}`,
    start,
    total: end - start,
    reconstructed: sorted.length > 0 && sorted.every((it) => it.attributes?.['source'] !== undefined),
    steps: steps.map((step, i) => {
      const own = sorted.filter((it) => it.step === step);
      return {
        number: i + 1,
        step,
        took: covered(own),
        lines: own.map((it) => ({
          at: it.start - start,
          ...(it.end > it.start && { took: it.end - it.start }),
          component: it.component,
          what: it.what,
          ...(it.writer !== undefined && { writer: it.writer }),
          ...(it.revision !== undefined && { revision: it.revision }),
          ...(typeof it.attributes?.['source'] === 'string' && { source: it.attributes['source'] }),
          ...(it.error !== undefined && { error: it.error }),
        })),
      };
    }),
  };
}

/** The client does not record itself: its step is known from who asked for the first write. */
function withClient(spans: readonly Span[]): readonly Span[] {
  if (spans.some((it) => it.step === 'client')) return spans;
  const first = [...spans].sort((a, b) => a.start - b.start).find((it) => it.step === 'apiserver');
  if (!first) return spans;
  const agent = first.attributes?.['userAgent'];
  const component = first.writer ?? 'client';
  const what = typeof agent === 'string' ? `request by ${agent}` : 'request';
  return [{ ...first, step: 'client', component, what, end: first.start }, ...spans];
}

/** The length of the union of the spans' times. */
function covered(spans: readonly Span[]): number {
  let sum = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { start, end } of spans) {
    if (end > until) {
      sum += end - Math.max(start, until === Number.NEGATIVE_INFINITY ? start : until);
      until = end;
    }
  }
  return sum;
}

/** `0.42 ms`, `37 ms`, `2.43 s`, `3m12s`. */
export function showDuration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(2))} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 3600
    ? `${Math.floor(seconds / 60)}m${seconds % 60}s`
    : `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
}

/** The ten steps with when, how long, who and what; the text of `coracle trace`. */
export function renderTrace(pod: V1Pod, spans: readonly Span[]): string {
  const trace = traceOf(pod, spans);
  const node = pod.spec?.nodeName ? ` on ${pod.spec.nodeName}` : '';
  const head = `${trace.subject}: ${pod.status?.phase ?? 'Unknown'}${node}, ${showDuration(trace.total)} from first to last mark`;
  if (spans.length === 0) return `${trace.subject}: nothing is known of its life\n`;
  const rows: (readonly string[])[] = [];
  for (const { number, step, lines } of trace.steps) {
    const label = `${String(number).padStart(2)} ${step}`;
    if (lines.length === 0) rows.push([label, '', '', '', 'nothing recorded']);
    const shown = lines.length > maxLines ? [...lines.slice(0, maxLines - 2), ...lines.slice(-2)] : lines;
    for (const [i, line] of shown.entries()) {
      if (lines.length > maxLines && i === maxLines - 2) {
        rows.push(['', '', '', '', `… ${lines.length - maxLines} more …`]);
      }
      const notes = [
        line.revision === undefined ? '' : `revision ${line.revision}`,
        line.writer === undefined || line.writer === line.component ? '' : `for ${line.writer}`,
        line.source === undefined ? '' : `from ${line.source}`,
      ].filter((it) => it !== '');
      const what = `${line.what}${notes.length > 0 ? ` [${notes.join(', ')}]` : ''}${line.error ? ` ✗ ${line.error}` : ''}`;
      rows.push([
        i === 0 ? label : '',
        `+${showDuration(line.at)}`,
        line.took === undefined ? '' : showDuration(line.took),
        line.component,
        what,
      ]);
    }
  }
  const table: (readonly string[])[] = [['STEP', 'AT', 'TOOK', 'WHO', 'WHAT'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const text = table
    .map((row) =>
      row
        .map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
  const note = trace.reconstructed
    ? '\nRead from what the cluster shows; times are as exact as their source, mostly to the second.\n'
    : '\n';
  return `${head}\n\n${text}\n${note}`.trimEnd().concat('\n');
}
