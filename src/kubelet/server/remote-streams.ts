import type { Readable, Writable } from 'node:stream';
import type { V1Status } from '../../api/generated/types.ts';
import type { StreamOptions, StreamSession } from '../../runtime/cri.ts';

/** The client's end of an exec or attach, whatever protocol carries it. */
export interface RemoteStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls back for each new size of the client's terminal. */
  onResize(listener: (width: number, height: number) => void): void;
  /** Sends how it ended, after all output, and closes. */
  finish(status: V1Status): Promise<void>;
  /** Resolves when the client has gone. */
  readonly closed: Promise<void>;
}

/** Sizes in a stream of JSON objects `{"Width":1,"Height":2}`; gives what is left over. */
export function takeSizes(text: string, listener: (width: number, height: number) => void): string {
  let rest = text;
  for (let end = rest.indexOf('}'); end >= 0; end = rest.indexOf('}')) {
    const piece = rest.slice(0, end + 1);
    rest = rest.slice(end + 1);
    const width = /"Width"\s*:\s*(\d+)/i.exec(piece);
    const height = /"Height"\s*:\s*(\d+)/i.exec(piece);
    if (width?.[1] && height?.[1]) listener(Number(width[1]), Number(height[1]));
  }
  return rest.length > 4096 ? '' : rest;
}

const success: V1Status = { metadata: {}, status: 'Success' };

const exitStatus = (code: number): V1Status => ({
  metadata: {},
  status: 'Failure',
  message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: `${code}` }] },
});

/** A failure to run at all, as the client sees it. */
export function internalStatus(message: string): V1Status {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}

const copyOut = (from: Readable | null, to: Writable | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (!from) return resolve();
    const done = (): void => resolve();
    from.once('end', done);
    from.once('error', done);
    from.once('close', done);
    if (!to) {
      from.resume();
      return;
    }
    to.once('error', done);
    from.pipe(to, { end: false });
  });

/** Joins a process's streams with a client's until the process ends or the client goes. Upstream: ServeExec, ServeAttach. */
export async function serveSession(
  start: () => Promise<StreamSession>,
  options: StreamOptions,
  client: RemoteStreams,
  what: 'executing command in' | 'attaching to',
): Promise<void> {
  let session: StreamSession;
  try {
    session = await start();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    await client.finish(internalStatus(`error ${what} container: ${text}`));
    return;
  }
  // A process that has ended early makes its own streams fail; the exit tells the story.
  for (const stream of [session.stdin, session.stdout, session.stderr, client.stdin, client.stdout, client.stderr])
    stream?.on('error', () => undefined);
  client.onResize((width, height) => session.resize(width, height));
  if (session.stdin && client.stdin) client.stdin.pipe(session.stdin);
  const output = Promise.all([
    copyOut(session.stdout, client.stdout),
    copyOut(options.tty ? null : session.stderr, client.stderr),
  ]);
  const outcome = await Promise.race([
    session.exit.then(
      ({ exitCode }) => ({ exitCode }),
      (error: unknown) => ({ error }),
    ),
    client.closed.then(() => undefined),
  ]);
  if (!outcome) {
    session.close();
    return;
  }
  await Promise.race([output, client.closed]);
  if ('error' in outcome) {
    const text = outcome.error instanceof Error ? outcome.error.message : String(outcome.error);
    await client.finish(internalStatus(`error ${what} container: ${text}`));
  } else await client.finish(outcome.exitCode === 0 ? success : exitStatus(outcome.exitCode));
  session.close();
}
