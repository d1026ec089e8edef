import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { accept, bind, listen, lookupHost, receive } from '../../net/sockets.ts';
import { find } from '../../vfs/mount-space.ts';
import { listPath } from '../../vfs/operations.ts';
import { type GoFlags, goError, goHttpError, goLog, goNotFound, goServe, goText } from '../go.ts';
import { mediaType, readServed } from '../http/files.ts';
import type { HttpRequest, HttpResponse } from '../http/server.ts';
import { dialHttp } from './netexec.ts';

/** agnhost serve-hostname: the hostname over HTTP, or raw over TCP and UDP. */
export async function serveHostname(p: Process, flags: GoFlags): Promise<number> {
  const { hostname } = p.workload;
  const port = flags.number('port');
  const [tcp, udp, http] = [flags.has('tcp'), flags.has('udp'), flags.has('http')];
  if (http && (tcp || udp)) {
    await goLog(p, "Can't server TCP/UDP mode and HTTP mode at the same time");
    return 1;
  }
  p.handle('TERM', () => {
    void (async () => {
      await goLog(p, 'Shutting down after receiving signal: terminated.');
      await goLog(p, 'Awaiting pod deletion.');
      await p.sleep(60_000);
      await p.exit(0);
    })();
  });
  await goLog(p, `Serving on port ${port}.`);
  if (tcp) void serveText(p, port, hostname, 'TCP request from');
  if (udp) void answerDatagrams(p, port, hostname);
  if (!http) return p.block(() => undefined).then(() => 0);
  return goServe(p, port, async (request) => {
    await goLog(p, `HTTP request from ${request.remote.ip}:${request.remote.port}`);
    return { ...goText(hostname), ...(flags.has('close') ? { close: true } : {}) };
  });
}

async function serveText(p: Process, port: number, text: string, note: string): Promise<void> {
  const listener = listen(p, port);
  p.handle('PIPE', 'ignore');
  for (;;) {
    const { fd, socket } = await accept(p, listener);
    await goLog(p, `${note} ${socket.remote.ip}:${socket.remote.port}`);
    await p.write(fd, text).catch(() => undefined);
    p.close(fd);
  }
}

async function answerDatagrams(p: Process, port: number, text: string): Promise<void> {
  const held = bind(p, port);
  for (;;) {
    const datagram = await receive(p, held.socket, Number.POSITIVE_INFINITY);
    if (datagram) held.socket.send(datagram.from, Buffer.from(text));
  }
}

/** agnhost porter: serves the values of SERVE_PORT_*, SERVE_TCP_PORT_*, SERVE_UDP_PORT_*, SERVE_TLS_PORT_*. */
export async function porter(p: Process, flags: GoFlags): Promise<number> {
  for (const [key, value] of p.env) {
    const match = /^SERVE_(?:(TCP|UDP|TLS|SCTP)_)?PORT_(\d+)$/.exec(key);
    if (!match) continue;
    const port = Number(match[2]);
    const answer = (request: HttpRequest): HttpResponse =>
      flags.has('json-response')
        ? {
            status: 200,
            headers: [['Content-Type', 'application/json']],
            body: JSON.stringify({ Method: request.method, Body: value }),
          }
        : goText(value);
    if (match[1] === 'UDP') {
      await goLog(p, `Started UDP server on port ${port}`);
      void answerDatagrams(p, port, value);
    } else if (match[1] === 'TLS') {
      const certFile = p.env.get('CERT_FILE') ?? 'localhost.crt';
      const keyFile = p.env.get('KEY_FILE') ?? 'localhost.key';
      const cert = await readText(p, certFile);
      const key = await readText(p, keyFile);
      if (cert === undefined || key === undefined)
        await goLog(
          p,
          `tls server on port "${port}" with certFile="${certFile}", keyFile="${keyFile}" failed: open ${cert === undefined ? certFile : keyFile}: no such file or directory`,
        );
      else void goServe(p, port, answer, { tls: { cert, key } });
    } else if (match[1] === 'SCTP') await goLog(p, 'SCTP is not there in the simulated network');
    else void goServe(p, port, answer);
  }
  return p.block(() => undefined).then(() => 0);
}

/** agnhost test-webserver: the files of the container's root. */
export function testWebserver(p: Process, flags: GoFlags): Promise<number> {
  return goServe(p, flags.number('port'), async ({ path }) => {
    const served = await readServed(p, '/', path);
    if (served.kind === 'file')
      return {
        status: 200,
        headers: [['Content-Type', mediaType(served.path, 'text/plain; charset=utf-8')]],
        body: served.data,
      };
    if (served.kind !== 'directory') return goNotFound;
    const names = listPath(p.view, served.path).map((name) => {
      const shown = find(p.view, `${served.path}/${name}`, false).inode.type === 'directory' ? `${name}/` : name;
      return `<a href="${encodeURI(shown)}">${shown}</a>\n`;
    });
    return {
      status: 200,
      headers: [['Content-Type', 'text/html; charset=utf-8']],
      body: `<pre>\n${names.join('')}</pre>\n`,
    };
  });
}

/** agnhost liveness: healthy for ten seconds, then not. */
export function liveness(p: Process): Promise<number> {
  const { clock } = p.workload;
  const started = clock.monotonic();
  const number = (request: HttpRequest, name: string, fallback: number): number => {
    const text = request.query.get(name);
    return text === null || text === '' ? fallback : Number(text);
  };
  const filler = (kib: number): string => 'a'.repeat(1024 * kib);
  return goServe(p, 8080, async (request) => {
    const seconds = (clock.monotonic() - started) / 1000;
    const code = number(request, 'code', 500);
    const pause = number(request, 'time', 0);
    switch (request.path) {
      case '/started':
        return goText(`${seconds.toFixed(9)}s`);
      case '/healthz':
        return seconds > 10 ? goText(`error: ${seconds}`, 500) : goText('ok');
      case '/redirect': {
        const location = request.query.get('loc') ?? '';
        return { status: 302, headers: [['Location', decodeURIComponent(location)]], body: '' };
      }
      case '/sleep-headers':
        await p.sleep(pause * 1000);
        return goText(`Slept for ${pause} secs\n${filler(number(request, 'size', 0))}`, code);
      case '/sleep-body':
        await p.sleep(pause * 1000);
        return goText(
          `${filler(number(request, 'size', 0))}Sleeping for ${pause} secs\nSlept for ${pause} secs\n`,
          code,
        );
      case '/slow-response':
        await p.sleep(number(request, 'interval', 0) * number(request, 'size', 0) * 1000);
        return goText(filler(number(request, 'size', 0)), code);
      case '/disconnect-headers':
      case '/disconnect-body':
        return { status: 200, abort: true };
      default:
        return goNotFound;
    }
  });
}

/** agnhost guestbook: a key-value store with a primary, replicas and a frontend. */
export async function guestbook(p: Process, flags: GoFlags): Promise<number> {
  let store: Record<string, unknown> = {};
  const replicas: string[] = [];
  const backend = flags.number('backend-port');
  const primary = flags.text('replicaof');
  const register = async (): Promise<void> => {
    for (let attempt = 0; attempt < 15; attempt++) {
      try {
        const host = p.workload.net.ips[0] ?? '127.0.0.1';
        await goLog(p, `Registering to primary: ${primary}:${backend}/register?host=${host}`);
        const reply = JSON.parse(await named(p, primary, backend, `register?host=${host}`)) as {
          data: Record<string, unknown>;
        };
        store = reply.data;
        await goLog(p, `Registered to node: ${primary}`);
        return;
      } catch (error) {
        await goLog(
          p,
          `encountered error while registering to primary: ${error instanceof Error ? error.message : error}. Retrying in 1s.`,
        );
        await p.sleep(1000);
      }
    }
    await goLog(p, 'Timed out while registering to primary.');
    await p.exit(1);
  };
  if (primary !== '') void register();
  return goServe(p, flags.number('http-port'), async ({ path, query }) => {
    const get = (key: string): string => query.get(key) ?? '';
    const [key, value] = [get('key'), get('value')];
    switch (path) {
      case '/register':
        await goLog(p, `GET /register?host=${get('host')}`);
        replicas.push(get('host'));
        await goLog(p, `Node '${get('host')}' registered.`);
        return goText(JSON.stringify({ data: store }));
      case '/get':
        await goLog(p, `GET /get?key=${key}`);
        return goText(JSON.stringify({ data: key === '' ? store : (store[key] ?? '') }));
      case '/set':
        await goLog(p, `GET /set?key=${key}&value=${value}`);
        if (key === '') return goHttpError(400, 'cannot set with empty key.');
        store[key] = value;
        for (const replica of replicas) {
          try {
            await dialHttp(p, replica, backend, `set?key=${key}&value=${value}`);
          } catch (error) {
            return goHttpError(
              417,
              `encountered error while propagating to replica '${replica}': ${error instanceof Error ? error.message : error}`,
            );
          }
        }
        return goText(JSON.stringify({ message: 'Updated' }));
      case '/guestbook': {
        const command = get('cmd').toLowerCase();
        await goLog(p, `GET /guestbook?cmd=${command}&key=${key}&value=${value}`);
        if (command !== 'get' && command !== 'set') return goHttpError(400, `unsupported cmd: '${command}'`);
        if (command === 'set' && key === '') return goHttpError(400, 'cannot set with empty key.');
        try {
          return goText(
            await named(
              p,
              command === 'get' ? 'agnhost-replica' : 'agnhost-primary',
              backend,
              `${command}?key=${key}&value=${value}`,
            ),
          );
        } catch (error) {
          return goHttpError(417, `encountered error: ${error instanceof Error ? error.message : error}`);
        }
      }
      default:
        return goNotFound;
    }
  });
}

async function named(p: Process, host: string, port: number, request: string): Promise<string> {
  const found = await lookupHost(p, host);
  if (found.kind !== 'found')
    throw new Error(`Get "http://${host}:${port}/${request}": dial tcp: lookup ${host}: no such host`);
  return dialHttp(p, found.addresses[0] ?? host, port, request);
}

/** agnhost port-forward-tester: sends chunks to the one client that connects. */
export async function portForwardTester(p: Process): Promise<number> {
  const number = (name: string): number | undefined =>
    /^-?\d+$/.test(p.env.get(name) ?? '') ? Number(p.env.get(name)) : undefined;
  const address = p.env.get('BIND_ADDRESS') || 'localhost';
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, number('BIND_PORT') ?? 0, address === 'localhost' ? '127.0.0.1' : address);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.print(`Error listening: ${goError(error)}\n`);
    return 1;
  }
  const { fd, socket } = await accept(p, listener);
  await p.print('Accepted client connection\n');
  const expected = p.env.get('EXPECTED_CLIENT_DATA') ?? '';
  if (expected !== '') {
    const part = await p.read(fd, Buffer.byteLength(expected));
    const text = part === null ? '' : Buffer.from(part).toString();
    if (text.length !== expected.length) {
      await p.print(`Expected to read ${expected.length} bytes from client, but got ${text.length} instead. err=EOF\n`);
      return 2;
    }
    if (text !== expected) {
      await p.print(`Expect to read ${JSON.stringify(expected)}, but got ${JSON.stringify(text)}. err=<nil>\n`);
      return 3;
    }
    await p.print('Received expected client data\n');
  }
  const [chunks, size, interval] = [number('CHUNKS'), number('CHUNK_SIZE'), number('CHUNK_INTERVAL')];
  for (const [name, value] of [
    ['CHUNKS', chunks],
    ['CHUNK_SIZE', size],
    ['CHUNK_INTERVAL', interval],
  ] as const) {
    if (value !== undefined) continue;
    await p.print(
      `Error parsing ${name} ${JSON.stringify(p.env.get(name) ?? '')}: strconv.Atoi: parsing ${JSON.stringify(p.env.get(name) ?? '')}: invalid syntax\n`,
    );
    return 1;
  }
  for (let at = 0; at < (chunks ?? 0); at++) {
    await p.write(fd, 'x'.repeat(size ?? 0));
    if (at + 1 < (chunks ?? 0)) await p.sleep(interval ?? 0);
  }
  await p.print('Shutting down connection\n');
  socket.shutdown();
  await p.sleep(500);
  p.close(fd);
  await p.print('Done\n');
  return 0;
}
