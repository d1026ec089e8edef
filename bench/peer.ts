import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './raw-client.ts';

/** A server process under measurement. */
export interface Measured {
  readonly child: ChildProcess;
  readonly target: Target;
}

const program = fileURLToPath(new URL('./peer-server.js', import.meta.url));

/** Starts the bare server with the cluster's own keys, so that both speak the same TLS to the same client. */
export async function startPeer(dataDir: string, cluster: Target): Promise<Measured & { stop(): void }> {
  const pki = (name: string): string => join(dataDir, 'pki', name);
  const child = spawn(process.execPath, [program, pki('apiserver.key'), pki('apiserver.crt'), pki('ca.crt')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      const found = /listening on (\d+)/.exec(chunk.toString())?.[1];
      if (found) resolve(Number(found));
    });
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  return { child, target: { ...cluster, port }, stop: () => child.kill() };
}

/** Processor seconds of a process so far, all its threads. */
export function cpuSeconds(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Bytes of memory that a process has made its own: resident, without mapped files. */
export const ownBytes = (child: ChildProcess): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024;
