import { spawn } from 'node:child_process';

/** Runs a command to its end with `input` on its standard input; rejects with what it said when it fails. */
export type Run = (command: string, args: readonly string[], input?: string) => Promise<string>;

/** Commands of the machine, in the network namespace of `prefix` where one is given (`nsenter --net=…`). */
export function systemRun(prefix: readonly string[] = []): Run {
  return (command, args, input) =>
    new Promise((resolve, reject) => {
      const [program = command, ...rest] = [...prefix, command, ...args];
      const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
      let out = '';
      let problem = '';
      child.stdout.on('data', (chunk: Buffer) => {
        if (out.length < 1 << 24) out += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        if (problem.length < 4096) problem += chunk.toString();
      });
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === 0) resolve(out);
        else reject(new Error(`${command} failed with ${code}: ${problem.trim()}`));
      });
      child.stdin.on('error', (error) => {
        problem += error.message;
      });
      child.stdin.end(input ?? '');
    });
}
