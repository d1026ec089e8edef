import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/coracle.js', import.meta.url));

export interface ClusterProcess {
  readonly child: ChildProcess;
  readonly dataDir: string;
  readonly kubeconfig: string;
  /** From start of the process to its ready line. */
  readonly readyMs: number;
  /** Resident bytes now. */
  memory(): number;
  /** CPU seconds used so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export const freshDir = (): string => mkdtempSync(join(tmpdir(), 'coracle-bench-'));
export const removeDir = (dir: string): void => rmSync(dir, { recursive: true, force: true });

/** Starts `coracle up` with these arguments. */
export async function startClusterProcess(dataDir: string, ...args: readonly string[]): Promise<ClusterProcess> {
  const began = performance.now();
  const child = spawn(process.execPath, [program, 'up', '--data-dir', dataDir, '--listen', '127.0.0.1:0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => chunk.includes('coracle is ready') && resolve());
    child.once('exit', (code) => reject(new Error(`coracle up ended with ${code}`)));
  });
  const readyMs = performance.now() - began;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    child,
    dataDir,
    kubeconfig: join(dataDir, 'kubeconfig'),
    readyMs,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    cpuSeconds() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
