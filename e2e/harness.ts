import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program that users start. */
export const program = fileURLToPath(new URL('../bin/coracle.js', import.meta.url));

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. A timeout counts as exit code 124. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      [...args],
      { timeout: options.timeoutMs ?? 60_000, maxBuffer: 64 << 20, env: { ...process.env, ...options.env } },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 124) : 0;
        resolve({ code, stdout, stderr });
      },
    );
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

/** Every kubectl on this machine: the one on the PATH, and versioned ones (`kubectl.1.29`) beside it. */
export function kubectls(): readonly string[] {
  const dirs = (process.env['PATH'] ?? '').split(delimiter).filter((dir) => existsSync(dir));
  const main = dirs.map((dir) => join(dir, 'kubectl')).find((file) => existsSync(file));
  if (!main) return [];
  const places = new Set([...dirs, dirname(realpathSync(main))]);
  const versioned = [...places].flatMap((dir) =>
    readdirSync(dir)
      .filter((name) => /^kubectl\.1\.\d+$/.test(name))
      .map((name) => join(dir, name)),
  );
  return versioned.length > 0 ? versioned.sort() : [main];
}

/** A kubectl that goes on by itself. */
export interface Background {
  /** Waits until what it has said matches, and gives all of it. */
  until(wanted: RegExp, timeoutMs?: number): Promise<string>;
  stop(): Promise<void>;
}

function background(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Background {
  const child = spawn(file, [...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let look = (): void => undefined;
  const read = (chunk: Buffer): void => {
    said += chunk.toString();
    look();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    until: (wanted, timeoutMs = 30_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${args.join(' ')}: still\n${said}`)), timeoutMs);
        look = () => {
          if (!wanted.test(said)) return;
          clearTimeout(timer);
          resolve(said);
        };
        look();
      }),
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** A cluster started as a user starts it, and kubectl pointed at it. */
export interface TestCluster {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly url: string;
  readonly process: ChildProcess;
  kubectl(...args: readonly string[]): Promise<Output>;
  /** Like `kubectl`, with a choice of binary, standard input and the like. */
  kubectlWith(options: RunOptions & { readonly binary?: string }, ...args: readonly string[]): Promise<Output>;
  /** Starts a kubectl that goes on until it is stopped. */
  background(...args: readonly string[]): Background;
  /** Throws with both streams unless kubectl exits 0; gives its stdout. */
  ok(...args: readonly string[]): Promise<string>;
  apply(manifest: string): Promise<string>;
  /** Asks again until `accept` holds, and throws what was seen last when it does not within the time. */
  until(args: readonly string[], accept: (stdout: string) => boolean, timeoutMs?: number): Promise<string>;
  coracle(...args: readonly string[]): Promise<Output>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly dataDir?: string;
  /** What the cluster and every command run under, such as `nsenter --net=…`. */
  readonly prefix?: readonly string[];
  /** Default 127.0.0.1:0. */
  readonly listen?: string;
}

/** Starts `coracle up` on a free port and waits for its ready line. */
export async function startTestCluster(options: StartOptions = {}): Promise<TestCluster> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'coracle-e2e-'));
  const kubeconfig = join(dataDir, 'kubeconfig');
  const args = [
    'up',
    '--data-dir',
    dataDir,
    '--listen',
    options.listen ?? '127.0.0.1:0',
    ...(options.args ?? ['--runtime', 'sim']),
  ];
  const prefixed = (file: string, rest: readonly string[]): readonly [string, string[]] => {
    const [first = file, ...others] = [...(options.prefix ?? []), file, ...rest];
    return [first, others];
  };
  const child = spawn(...prefixed(process.execPath, [program, ...args]), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /coracle is ready in .*?: (https:\/\/[^,\s]+)/.exec(said)?.[1];
      if (url) resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    void exited.then((code) => reject(new Error(`coracle up ended with ${code}: ${said}`)));
  });
  const url = await ready;
  const main = kubectls().at(-1) ?? 'kubectl';

  const cluster: TestCluster = {
    dataDir,
    kubeconfig,
    url,
    process: child,
    kubectl: (...rest) => cluster.kubectlWith({}, ...rest),
    kubectlWith: ({ binary, ...runOptions }, ...rest) =>
      run(...prefixed(binary ?? main, rest), {
        ...runOptions,
        env: { KUBECONFIG: kubeconfig, HOME: dataDir, ...runOptions.env },
      }),
    background: (...rest) => background(...prefixed(main, rest), { KUBECONFIG: kubeconfig, HOME: dataDir }),
    async ok(...rest) {
      const output = await cluster.kubectl(...rest);
      if (output.code !== 0)
        throw new Error(`kubectl ${rest.join(' ')}: exit ${output.code}\n${output.stdout}${output.stderr}`);
      return output.stdout;
    },
    async apply(manifest) {
      const output = await cluster.kubectlWith({ input: manifest }, 'apply', '-f', '-');
      if (output.code !== 0) throw new Error(`kubectl apply: exit ${output.code}\n${output.stdout}${output.stderr}`);
      return output.stdout;
    },
    async until(rest, accept, timeoutMs = 60_000) {
      const end = Date.now() + timeoutMs;
      for (;;) {
        const output = await cluster.kubectl(...rest);
        if (output.code === 0 && accept(output.stdout)) return output.stdout;
        if (Date.now() > end)
          throw new Error(`kubectl ${rest.join(' ')}: still\n${output.stdout}${output.stderr}\n${said.slice(-2000)}`);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
    coracle: (...rest) =>
      run(...prefixed(process.execPath, [program, ...rest]), { env: { KUBECONFIG: kubeconfig }, timeoutMs: 180_000 }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
    async dispose() {
      if (child.exitCode === null && child.signalCode === null) await cluster.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return cluster;
}
