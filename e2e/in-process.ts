import { PassThrough } from 'node:stream';
import { main } from '../src/cli/main.ts';
import type { Output } from './harness.ts';

/** Runs a `coracle` command in this process: what it would print, and its exit code. */
export async function coracle(env: NodeJS.ProcessEnv, args: readonly string[], input = ''): Promise<Output> {
  const stdin = new PassThrough();
  stdin.end(input);
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const texts = { stdout: '', stderr: '' };
  stdout.on('data', (chunk: Buffer) => {
    texts.stdout += chunk.toString();
  });
  stderr.on('data', (chunk: Buffer) => {
    texts.stderr += chunk.toString();
  });
  const code = await main(args, { stdin, stdout, stderr, env });
  return { code, ...texts };
}
