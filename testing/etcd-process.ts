import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Members of a real etcd cluster on this machine's loopback, each of which can be killed and started again. */
export interface EtcdCluster {
  readonly endpoints: readonly string[];
  readonly dirs: readonly string[];
  readonly pids: () => readonly (number | undefined)[];
  /** Ends a member at once (SIGKILL), or stops it from running (SIGSTOP) and lets it go on (SIGCONT). */
  signal(member: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  start(member: number): Promise<void>;
  stop(): Promise<void>;
}

export interface EtcdProcessOptions {
  readonly members?: number;
  readonly flags?: readonly string[];
  readonly scheme?: 'http' | 'https';
  /** How to run a member's command: in a network namespace, for example. */
  readonly wrap?: (member: number, command: readonly string[]) => readonly string[];
  /** Addresses of the members; default: 127.0.0.1. */
  readonly address?: (member: number) => string;
}

/** True where Debian's etcd-server is installed. */
export function hasEtcd(): boolean {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts members and resolves when all of them serve. */
export async function startEtcd(options: EtcdProcessOptions = {}): Promise<EtcdCluster> {
  const count = options.members ?? 1;
  const scheme = options.scheme ?? 'http';
  const base = mkdtempSync(join(tmpdir(), 'coracle-etcd-'));
  const address = options.address ?? (() => '127.0.0.1');
  const ports: { client: number; peer: number }[] = [];
  for (let i = 0; i < count; i++) ports.push({ client: await freePort(), peer: await freePort() });
  const client = (i: number): string => `${scheme}://${address(i)}:${ports[i]?.client}`;
  const peer = (i: number): string => `http://${address(i)}:${ports[i]?.peer}`;
  const initial = ports.map((_, i) => `m${i}=${peer(i)}`).join(',');
  const children: (ChildProcess | undefined)[] = [];
  const dirs = ports.map((_, i) => join(base, `m${i}`));

  const launch = (i: number): void => {
    const command = [
      'etcd',
      ...['--name', `m${i}`, '--data-dir', dirs[i] ?? '', '--log-level', 'error'],
      ...['--listen-client-urls', client(i), '--advertise-client-urls', client(i)],
      ...['--listen-peer-urls', peer(i), '--initial-advertise-peer-urls', peer(i)],
      ...['--initial-cluster', initial, '--heartbeat-interval', '50', '--election-timeout', '500'],
      ...(options.flags ?? []),
    ];
    const [program = '', ...args] = options.wrap?.(i, command) ?? command;
    children[i] = spawn(program, args, { stdio: 'ignore' });
  };
  const serves = async (i: number): Promise<void> => {
    for (let tries = 0; tries < 300; tries++) {
      try {
        const reached = await fetch(`${client(i).replace('https', 'http')}/health`, {
          signal: AbortSignal.timeout(500),
        });
        if (reached.ok) return;
      } catch (error) {
        // A TLS port answers plain HTTP with an error of its own; that it answers is enough.
        if (scheme === 'https' && error instanceof Error && !/ECONNREFUSED/.test(String(error.cause))) return;
      }
      await pause(50);
    }
    throw new Error(`etcd member ${i} does not serve`);
  };
  const gone = async (child: ChildProcess | undefined): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => child.once('exit', resolve));
  };

  for (let i = 0; i < count; i++) launch(i);
  for (let i = 0; i < count; i++) await serves(i);
  return {
    endpoints: ports.map((_, i) => client(i)),
    dirs,
    pids: () => children.map((child) => child?.pid),
    async signal(i, signal) {
      children[i]?.kill(signal);
      if (signal === 'SIGKILL') await gone(children[i]);
    },
    async start(i) {
      launch(i);
      await serves(i);
    },
    async stop() {
      for (const child of children) child?.kill('SIGKILL');
      for (const child of children) await gone(child);
      rmSync(base, { recursive: true, force: true });
    },
  };
}
