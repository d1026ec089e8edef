import { isSysError, SysError, strerror } from '../../errno.ts';
import { prepare, searchPath, spawn } from '../../kernel/exec.ts';
import { accept, bind, connect, listen, lookupHost, receive } from '../../net/sockets.ts';
import { type Applet, Failure, usage } from '../applet.ts';

/** nc [-l] [-p PORT] [-z] [-v] [-u] [-w SEC] [-e PROG] [HOST] [PORT]; with GNU flavour in OpenBSD netcat's words. */
export async function nc(a: Applet): Promise<number> {
  // -e takes the rest of the words as a command.
  const e = a.args.indexOf('-e');
  const command = e < 0 ? undefined : a.args.slice(e + 1);
  const options = a.options('lkp:s:zvnuw:i:NqtX46d', {}, e < 0 ? a.args : a.args.slice(0, e));
  const waitMs = Number(options.value('w') ?? 0) * 1000;
  const verbose = options.has('v');
  if (options.has('l')) {
    const port = Number(options.value('p') ?? options.rest.at(-1) ?? 0);
    return options.has('u') ? listenUdp(a, port) : serve(a, port, command, options.has('k'), waitMs);
  }
  const operands = command && options.rest.length < 2 ? [...options.rest, ...command.splice(0, 0)] : options.rest;
  const [host, portText] = operands;
  if (host === undefined || portText === undefined) throw usage(a);
  const [from, to = from] = portText.split('-').map(Number);
  if (!from || !to) throw new Failure(`bad port '${portText}'`);
  const found = await lookupHost(a.p, host);
  if (found.kind !== 'found')
    throw new Failure(
      a.flavour === 'gnu'
        ? `getaddrinfo for host "${host}" port ${portText}: Name or service not known`
        : `bad address '${host}'`,
    );
  const ip = found.addresses[0] ?? host;
  if (options.has('u')) return talkUdp(a, ip, from, waitMs, options.has('z'));
  let status = 1;
  for (let port = from; port <= to; port++) {
    try {
      const { fd } = await connect(a.p, ip, port, waitMs);
      status = 0;
      if (verbose)
        await a.p.complain(
          a.flavour === 'gnu'
            ? `Connection to ${host} (${ip}) ${port} port [tcp/*] succeeded!\n`
            : `${host} (${ip}:${port}) open\n`,
        );
      if (options.has('z')) a.p.close(fd);
      else return command ? await execute(a, fd, command) : await pump(a, fd, waitMs, options.has('N'));
    } catch (error) {
      if (!isSysError(error) || error.code === 'EPIPE') throw error;
      const why =
        error.code === 'ETIMEDOUT'
          ? a.flavour === 'gnu'
            ? 'Operation timed out'
            : 'Connection timed out'
          : strerror(error);
      if (a.flavour === 'gnu') {
        if (verbose) await a.warn(`connect to ${host} (${ip}) port ${port} (tcp) failed: ${why}`);
      } else if (error.code === 'ETIMEDOUT' && waitMs > 0) await a.warn('timed out');
      else if (!options.has('z') || verbose) await a.warn(`can't connect to remote host (${ip}): ${why}`);
    }
  }
  return status;
}

/** Runs a command with the connection as its standard streams. */
async function execute(a: Applet, fd: number, command: readonly string[]): Promise<number> {
  const name = command[0] ?? '';
  const path = searchPath(a.p, name);
  if (path === undefined) throw new Failure(`can't execute '${name}': No such file or directory`, 127);
  const child = spawn(a.p, prepare(a.p, path, command), (process) => {
    const socket = process.file(fd);
    for (const target of [0, 1, 2]) process.install(socket, target);
    process.close(fd);
  });
  a.p.close(fd);
  return (await a.p.wait(child)).code;
}

/** Copies both ways until the peer has ended. */
async function pump(a: Applet, fd: number, waitMs: number, shutdown: boolean): Promise<number> {
  const { p } = a;
  const socket = p.file(fd) as unknown as { shutdown(): void };
  let quiet: { cancel(): void } | undefined;
  const copyUp = async (): Promise<void> => {
    for (let part = await p.read(0); part !== null; part = await p.read(0)) await p.write(fd, part);
    if (a.flavour === 'busybox' || shutdown) socket.shutdown();
    // With -w, an idle connection ends.
    if (waitMs > 0) quiet = p.workload.clock.after(waitMs, () => void p.exit(0), { background: true });
  };
  if (p.fds[0]?.readable) copyUp().catch(() => undefined);
  try {
    for (let part = await p.read(fd); part !== null; part = await p.read(fd)) await p.write(1, part);
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
  quiet?.cancel();
  return 0;
}

async function serve(
  a: Applet,
  port: number,
  command: readonly string[] | undefined,
  keep: boolean,
  waitMs: number,
): Promise<number> {
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(a.p, port);
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new Failure(a.flavour === 'gnu' ? strerror(error) : `bind: ${strerror(error)}`);
  }
  for (;;) {
    const { fd } = await accept(a.p, listener);
    const status = command ? await execute(a, fd, command) : await pump(a, fd, waitMs, false);
    if (!keep && !(command && keep)) return status;
    if (a.p.fds[fd]) a.p.close(fd);
  }
}

async function listenUdp(a: Applet, port: number): Promise<number> {
  const held = bind(a.p, port);
  let peer: { ip: string; port: number } | undefined;
  const up = async (): Promise<void> => {
    for (let part = await a.p.read(0); part !== null; part = await a.p.read(0)) if (peer) held.socket.send(peer, part);
  };
  if (a.p.fds[0]?.readable) up().catch(() => undefined);
  for (;;) {
    const datagram = await receive(a.p, held.socket, Number.POSITIVE_INFINITY);
    if (!datagram) continue;
    peer = datagram.from;
    await a.p.write(1, datagram.data);
  }
}

async function talkUdp(a: Applet, ip: string, port: number, waitMs: number, probe: boolean): Promise<number> {
  const held = bind(a.p);
  if (probe) {
    held.socket.send({ ip, port }, Buffer.from('X'));
    return 0;
  }
  const up = async (): Promise<void> => {
    for (let part = await a.p.read(0); part !== null; part = await a.p.read(0)) held.socket.send({ ip, port }, part);
  };
  const sent = up().catch((error: unknown) => {
    if (!(error instanceof SysError)) throw error;
  });
  await Promise.race([sent, a.p.sleep(0)]);
  for (;;) {
    const datagram = await receive(a.p, held.socket, waitMs > 0 ? waitMs : Number.POSITIVE_INFINITY);
    if (!datagram) return 0;
    await a.p.write(1, datagram.data);
  }
}
