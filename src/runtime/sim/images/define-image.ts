import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import { SysError } from '../errno.ts';
import type { Process } from '../kernel/process.ts';
import type { Signal } from '../kernel/signals.ts';
import { readText } from '../net/read-text.ts';
import { accept, connect, listen, lookupHost } from '../net/sockets.ts';
import { fetchOnce, parseUrl } from '../programs/http/client.ts';
import { type Handler, serveHttp } from '../programs/http/server.ts';
import { parseReference } from '../sim-registry.ts';
import type { ImageFiles } from '../vfs/image-tree.ts';
import { listPath, makeDirectories } from '../vfs/operations.ts';
import { busyboxFiles } from './base-files.ts';
import { sharedTree } from './define.ts';
import type { SimImage } from './sim-image.ts';

/** A connection of a simulated container. */
export interface SimConnection {
  /** Bytes, or null at the end. */
  read(): Promise<Uint8Array | null>;
  write(data: Uint8Array | string): Promise<void>;
  close(): void;
  readonly remote: { readonly ip: string; readonly port: number };
}

/** What the program of a defined image works with: its process and the world around it. */
export interface SimContext {
  readonly env: ReadonlyMap<string, string>;
  readonly hostname: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The next bytes of standard input, null at its end. */
  stdin(): Promise<Uint8Array | null>;
  stdout(text: string | Uint8Array): Promise<void>;
  stderr(text: string): Promise<void>;
  /** Calls back for every signal of that kind instead of the default action. */
  onSignal(signal: Signal, act: () => void): void;
  sleep(ms: number): Promise<void>;
  /** Takes memory; beyond the container's limit it is killed. */
  allocate(bytes: number): Promise<void>;
  /** Uses so many cores from now on. */
  useCpu(cores: number): void;
  readonly files: {
    /** The text of a file, undefined when it cannot be read. */
    read(path: string): Promise<string | undefined>;
    write(path: string, text: string): Promise<void>;
    list(path: string): readonly string[];
  };
  /** Answers HTTP on a port, for ever. */
  serveHttp(port: number, handler: Handler): Promise<never>;
  /** Takes connections on a port, for ever. */
  serveTcp(port: number, serve: (connection: SimConnection) => Promise<void>): Promise<never>;
  connect(host: string, port: number): Promise<SimConnection>;
  /** One HTTP request to a URL. */
  fetch(
    url: string,
    request?: { readonly method?: string; readonly body?: string },
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Ends the process. */
  exit(code: number): Promise<never>;
}

export interface ImageDefinition {
  /** `ghcr.io/acme/app:1.0`; the tag is `latest` when there is none. */
  readonly name: string;
  /** Files on top of busybox's. */
  readonly files?: ImageFiles;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly stopSignal?: string;
  /** `8080/tcp` */
  readonly ports?: readonly string[];
  readonly args?: readonly string[];
  readonly sizeBytes?: number;
  /** The program; `argv[0]` is its own path. Answers the exit code. */
  readonly exec: (context: SimContext, argv: readonly string[]) => number | Promise<number>;
}

/** An image of one's own for simulated nodes: data and a small program. Throws when the name is no image name. */
export function defineImage(definition: ImageDefinition): SimImage {
  const reference = parseReference(definition.name);
  if ('error' in reference) throw new Error(`defineImage: ${JSON.stringify(definition.name)}: ${reference.error}`);
  const tag = reference.tag ?? 'latest';
  // The name in the executable ends at a colon.
  const program = `defined/${reference.repository}@${tag}`.replaceAll(':', '_');
  const files: ImageFiles = { ...busyboxFiles, ...definition.files, '/app': { program, memoryKiB: 4096 } };
  const { env, user, workingDir, stopSignal, ports, args, exec } = definition;
  return {
    repository: reference.repository,
    tags: [tag],
    tree: sharedTree(() => files),
    entrypoint: ['/app'],
    ...(args ? { cmd: args } : {}),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(ports ? { exposedPorts: ports } : {}),
    sizeBytes: definition.sizeBytes ?? 10_000_000,
    programs: { [program]: (p) => run(p, exec) },
  };
}

/** A refused system call that the program does not handle ends it, and it says which. */
async function run(p: Process, exec: ImageDefinition['exec']): Promise<number> {
  try {
    return await exec(contextOf(p), p.argv);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain(`${p.argv[0]}: ${error.message}\n`);
    return 1;
  }
}

function connection(p: Process, { fd, socket }: Awaited<ReturnType<typeof accept>>): SimConnection {
  return {
    read: () => p.read(fd),
    write: (data) => p.write(fd, data),
    close: () => p.close(fd),
    remote: socket.remote,
  };
}

function contextOf(p: Process): SimContext {
  return {
    env: p.env,
    hostname: p.workload.hostname,
    clock: p.workload.clock,
    random: p.workload.random,
    stdin: () => p.read(0),
    stdout: (text) => p.print(text),
    stderr: (text) => p.complain(text),
    onSignal: (signal, act) => p.handle(signal, act),
    sleep: (ms) => p.sleep(ms),
    allocate: (bytes) => p.allocate(bytes),
    useCpu: (cores) => p.spin(cores),
    files: {
      read: (path) => readText(p, path),
      async write(path, text) {
        makeDirectories(p.view, path.slice(0, path.lastIndexOf('/')) || '/');
        const fd = p.open(path, { write: true, create: true, truncate: true });
        await p.write(fd, text);
        p.close(fd);
      },
      list: (path) => listPath(p.view, path),
    },
    serveHttp: (port, handler) => serveHttp(p, listen(p, port), handler),
    async serveTcp(port, serve) {
      const listener = listen(p, port);
      p.handle('PIPE', 'ignore');
      for (;;) {
        const accepted = await accept(p, listener);
        const failed = (error: unknown): Promise<void> =>
          p.complain(`${error instanceof Error ? error.message : String(error)}\n`);
        void serve(connection(p, accepted)).catch(failed);
      }
    },
    async connect(host, port) {
      const found = await lookupHost(p, host);
      if (found.kind !== 'found') throw new Error(`lookup ${host}: no such host`);
      return connection(p, await connect(p, found.addresses[0] ?? host, port));
    },
    async fetch(text, request = {}) {
      const url = parseUrl(text);
      if (url?.scheme !== 'http') throw new Error(`fetch ${text}: only http:// addresses are there`);
      const { method, body } = request;
      const reply = await fetchOnce(p, url, {
        ...(method === undefined ? {} : { method }),
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      });
      if (reply === 'no-host') throw new Error(`fetch ${text}: lookup ${url.host}: no such host`);
      if (reply === 'empty') throw new Error(`fetch ${text}: the server said nothing`);
      return { status: reply.status, body: reply.body.toString() };
    },
    exit: (code) => p.exit(code),
  };
}
