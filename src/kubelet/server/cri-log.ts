/** One line of a container's log as the runtime writes it: `<RFC 3339 nanoseconds> stdout|stderr P|F <text>`. */
export interface LogEntry {
  /** As written, with nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without the line's end. */
  readonly content: Buffer;
  /** More of the same line follows. */
  readonly partial: boolean;
}

const space = 0x20;

/** Undefined for a line that is none (a torn write). Upstream: parseCRILog in k8s.io/cri-client. */
export function parseLogLine(line: Buffer): LogEntry | undefined {
  const first = line.indexOf(space);
  const second = first < 0 ? -1 : line.indexOf(space, first + 1);
  const third = second < 0 ? -1 : line.indexOf(space, second + 1);
  if (third < 0) return undefined;
  const time = line.toString('latin1', 0, first);
  const stream = line.toString('latin1', first + 1, second);
  if ((stream !== 'stdout' && stream !== 'stderr') || Number.isNaN(Date.parse(time))) return undefined;
  const tags = line.toString('latin1', second + 1, third).split(':');
  return { time, stream, content: line.subarray(third + 1), partial: tags[0] === 'P' };
}
