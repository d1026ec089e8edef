import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Span } from '../api/trace.ts';
import type { TraceQuery } from '../trace/recorder.ts';
import type { SimRequest } from './sim/sim-controls.ts';

/**
 * A running cluster holds a Unix socket in its data directory. It is the lock (a second cluster finds it answered) and the way
 * `status` and `down` talk to it. One JSON line each way.
 */
export interface ControlStatus {
  readonly pid: number;
  readonly url: string;
  readonly runtime: string;
  readonly nodes: number;
  readonly startedAt: string;
  readonly ready: boolean;
}

export interface ControlCommands {
  status(): ControlStatus;
  /** The spans recorded of an object. */
  spans(query: TraceQuery): readonly Span[];
  /** Work on the store, as JSON. */
  store?(request: unknown): Promise<unknown>;
  /** Faults of simulated nodes, as JSON (`SimRequest`). */
  sim?(request: unknown): Promise<unknown>;
  stop(): void;
}

type Request = 'status' | 'stop' | `spans ${string}` | `store ${string}` | `sim ${string}`;
const socketPath = (dataDir: string): string => join(dataDir, 'control.sock');
const maxLine = 4096;

/** Listens, or returns undefined when another process already holds the data directory. */
export async function holdDataDir(
  dataDir: string,
  commands: ControlCommands,
): Promise<{ release(): Promise<void> } | undefined> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (await askCluster(dataDir, 'status')) return undefined;
  const path = socketPath(dataDir);
  // Nobody answers: what lies there was left by a process that was killed.
  rmSync(path, { force: true });
  const server = createServer((socket) => answer(socket, commands));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, readableAll: false, writableAll: false }, resolve);
  });
  return {
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        rmSync(path, { force: true });
      }),
  };
}

function answer(socket: Socket, commands: ControlCommands): void {
  let line = '';
  socket.setEncoding('utf8');
  // A client that goes away mid-sentence is no concern of the cluster.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    line += chunk;
    if (line.length > maxLine) socket.destroy();
    if (!line.includes('\n')) return;
    const [request, argument = ''] = line.trim().split(/ (.*)/s);
    if (request === 'store' || request === 'sim') {
      const failed = (error: unknown): unknown => ({ refusal: error instanceof Error ? error.message : String(error) });
      void Promise.resolve()
        .then(() => commands[request]?.(JSON.parse(argument)) ?? { refusal: 'the cluster is not ready yet' })
        .catch(failed)
        .then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
      return;
    }
    const reply = request === 'spans' ? commands.spans(JSON.parse(argument) as TraceQuery) : commands.status();
    socket.end(`${JSON.stringify(reply)}\n`);
    if (request === 'stop') commands.stop();
  });
}

/** Asks the cluster of this data directory; undefined when none is running. */
export const askCluster = (dataDir: string, request: 'status' | 'stop'): Promise<ControlStatus | undefined> =>
  ask<ControlStatus>(dataDir, request);

/** What the cluster of this data directory has recorded of an object; undefined when none is running. */
export const askSpans = (dataDir: string, query: TraceQuery): Promise<readonly Span[] | undefined> =>
  ask<readonly Span[]>(dataDir, `spans ${JSON.stringify(query)}`);

/** Has the cluster of this data directory work on its store; undefined when none is running. */
export const askStore = <T>(dataDir: string, request: object): Promise<T | undefined> =>
  ask<T>(dataDir, `store ${JSON.stringify(request)}`);

/**
 * Has the cluster of this data directory break or mend a simulated node or registry. Undefined when none is running; `refusal` says why it
 * was not done.
 */
export const askSim = (dataDir: string, request: SimRequest): Promise<{ readonly refusal?: string } | undefined> =>
  ask(dataDir, `sim ${JSON.stringify(request)}`);

function ask<T>(dataDir: string, request: Request): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath(dataDir) });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${request}\n`));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(JSON.parse(text) as T));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') resolve(undefined);
      else reject(error);
    });
  });
}
