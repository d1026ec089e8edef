/** Where a command reads and writes, so that tests can stand in for a terminal. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
}

export const processStreams: Streams = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
};

/** One line to stdout. */
export function say(streams: Streams, line: string): void {
  streams.stdout.write(`${line}\n`);
}

/** One line to stderr. */
export function complain(streams: Streams, line: string): void {
  streams.stderr.write(`${line}\n`);
}
