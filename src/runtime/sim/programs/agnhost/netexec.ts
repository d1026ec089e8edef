import { SysError } from '../../errno.ts';
import { prepare, spawn } from '../../kernel/exec.ts';
import { createPipe } from '../../kernel/pipe.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { bind, lookupHost, receive, within } from '../../net/sockets.ts';
import { type GoFlags, goDuration, goError, goHttpError, goLog, goServe, goText } from '../go.ts';
import { fetchOnce } from '../http/client.ts';
import type { HttpRequest, HttpResponse } from '../http/server.ts';
import { header } from '../http/wire.ts';

/** Flags of agnhost netexec with their defaults. */
export const netexecFlags = {
  'http-port': 8080,
  'udp-port': 8081,
  'sctp-port': -1,
  'tls-cert-file': '',
  'tls-private-key-file': '',
  'http-override': '',
  'udp-listen-addresses': '',
  'delay-shutdown': 0,
};

interface Server {
  readonly p: Process;
  ready: boolean;
  stopping: boolean;
}

/** agnhost netexec: HTTP and UDP servers with the endpoints that the e2e tests ask. */
export async function netexec(p: Process, flags: GoFlags): Promise<number> {
  const server: Server = { p, ready: false, stopping: false };
  if (flags.number('sctp-port') !== -1) {
    await goLog(p, 'SCTP is not there in the simulated network');
    return 1;
  }
  p.handle('TERM', () => {
    server.stopping = true;
    const delay = flags.number('delay-shutdown');
    const stop = async (): Promise<void> => {
      if (delay > 0) {
        await goLog(p, `Sleeping ${delay} seconds before terminating...`);
        await p.sleep(delay * 1000);
      }
      await p.exit(0);
    };
    void stop();
  });
  const udpPort = flags.number('udp-port');
  if (udpPort !== -1) void udp(server, udpPort, flags.text('udp-listen-addresses'));
  const port = flags.number('http-port');
  await goLog(p, `Started HTTP server on port ${port}`);
  const override = flags.text('http-override');
  const certFile = flags.text('tls-cert-file');
  let tls: { cert: string; key: string } | undefined;
  if (certFile !== '') {
    const keyFile = flags.text('tls-private-key-file');
    const cert = await readText(p, certFile);
    const key = await readText(p, keyFile);
    if (cert === undefined || key === undefined) {
      await goLog(p, `open ${cert === undefined ? certFile : keyFile}: no such file or directory`);
      return 1;
    }
    tls = { cert, key };
  }
  return goServe(
    p,
    port,
    (request) => {
      if (override === '') return route(server, request);
      const [path = '', query = ''] = override.split('?');
      return route(server, {
        ...request,
        method: 'GET',
        path,
        target: override,
        query: new URLSearchParams(query),
        headers: [],
        body: Buffer.alloc(0),
      });
    },
    tls ? { tls } : {},
  );
}

/** Query and form values together, as FormValue looks them up. */
export function formValue(request: HttpRequest, key: string): string {
  if (/^application\/x-www-form-urlencoded/.test(header(request.headers, 'content-type') ?? '')) {
    const value = new URLSearchParams(request.body.toString()).get(key);
    if (value !== null) return value;
  }
  return request.query.get(key) ?? '';
}

async function route(server: Server, request: HttpRequest): Promise<HttpResponse> {
  const { p } = server;
  const value = (key: string): string => formValue(request, key);
  switch (request.path) {
    case '/clientip':
      await goLog(p, 'GET /clientip');
      return goText(`${request.remote.ip}:${request.remote.port}`);
    case '/header':
      return headerOf(p, request, value('key'));
    case '/dial':
      return dial(p, request);
    case '/echo': {
      const code = value('code');
      await goLog(p, `GET /echo?msg=${value('msg')}&code=${code}`);
      if (code !== '' && !/^-?\d+$/.test(code))
        return goText(`argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`);
      return goText(value('msg'), code === '' ? 200 : Number(code));
    }
    case '/exit':
      return exit(p, value);
    case '/healthz':
      await goLog(p, 'GET /healthz');
      return { status: server.ready ? 200 : 412 };
    case '/readyz':
      await goLog(p, 'GET /readyz');
      if (server.stopping) return goText('shutting down', 503);
      return server.ready ? goText('ok') : { status: 412 };
    case '/hostname':
    case '/hostName':
      await goLog(p, `GET ${request.path}`);
      return goText(p.workload.hostname);
    case '/redirect': {
      const code = value('code');
      const location = value('location');
      await goLog(p, `${request.method} /redirect?msg=${location}&code=${code}`);
      if (code !== '' && !/^\d+$/.test(code))
        return goText(`argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`);
      const status = code === '' ? 302 : Number(code);
      return {
        status,
        headers: [
          ['Content-Type', 'text/html; charset=utf-8'],
          ['Location', location],
        ],
        body: request.method === 'GET' ? `<a href="${location}">Found</a>.\n\n` : '',
      };
    }
    case '/shell':
      return shell(p, value('shellCommand') || value('cmd'));
    case '/shutdown':
      await goLog(p, 'GET /shutdown');
      return p.exit(0);
    case '/upload':
      return upload(p, request);
    default:
      await goLog(p, 'GET /');
      return goText(
        `NOW: ${new Date(p.workload.clock.now()).toISOString().replace('T', ' ').replace('Z', '000000 +0000 UTC')} m=+0.000000001`,
      );
  }
}

/** Names as net/http canonicalises them. */
const canonical = (name: string): string => name.toLowerCase().replace(/(^|-)[a-z]/g, (part) => part.toUpperCase());

async function headerOf(p: Process, request: HttpRequest, key: string): Promise<HttpResponse> {
  if (key !== '') {
    await goLog(p, `GET /header?key=${key}`);
    return goText(header(request.headers, key.toLowerCase()) ?? '');
  }
  await goLog(p, 'GET /header');
  const all: Record<string, string[]> = {};
  for (const [name, value] of request.headers)
    if (name.toLowerCase() !== 'host') all[canonical(name)] = [...(all[canonical(name)] ?? []), value];
  return goText(JSON.stringify(Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))));
}

async function exit(p: Process, value: (key: string) => string): Promise<HttpResponse> {
  const [code, timeout, wait] = [value('code'), value('timeout'), value('wait')];
  await goLog(p, `GET /exit?code=${code}&timeout=${timeout}&wait=${wait}`);
  const timeoutMs = timeout === '' ? 0 : goDuration(timeout);
  const waitMs = wait === '' ? 0 : goDuration(wait);
  if (timeoutMs === undefined)
    return goText(`argument 'timeout' must be a valid golang duration or empty, got ${JSON.stringify(timeout)}\n`);
  if (waitMs === undefined)
    return goText(`argument 'wait' must be a valid golang duration or empty, got ${JSON.stringify(wait)}\n`);
  if (code !== '' && !/^-?\d+$/.test(code))
    return goText(`argument 'code' must be an integer [0-127] or empty, got ${JSON.stringify(code)}\n`);
  await goLog(
    p,
    `Will begin shutdown in ${wait || '0s'}, allowing ${timeout || '0s'} for connections to close, then will exit with ${Number(code)}`,
  );
  await p.sleep(waitMs);
  if (timeoutMs === 0) return p.exit(Number(code));
  // The answer goes out first; what is still open then is closed with the process.
  p.workload.clock.after(
    1,
    () => {
      void goLog(p, 'Graceful shutdown completed with: <nil>').then(() => p.exit(Number(code)));
    },
    { background: true },
  );
  return { status: 200, close: true };
}

/** Runs a shell command, both outputs together. */
export async function shellOutput(p: Process, command: string): Promise<{ output: string; error: string | undefined }> {
  const pipe = createPipe();
  const fd = p.install(pipe.reader);
  pipe.writer.refs++;
  try {
    const child = spawn(p, prepare(p, '/bin/sh', ['/bin/sh', '-c', command]), (process) => {
      process.install(pipe.writer, 1);
      process.install(pipe.writer, 2);
      process.close(fd);
      if (--pipe.writer.refs === 0) pipe.writer.released();
    });
    const output = (await p.readAll(fd)).toString();
    const status = await p.wait(child);
    const error = status.signal
      ? `signal: ${status.signal.toLowerCase()}`
      : status.code === 0
        ? undefined
        : `exit status ${status.code}`;
    return { output, error };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return { output: '', error: `fork/exec /bin/sh: ${goError(error)}` };
  } finally {
    p.close(fd);
  }
}

async function shell(p: Process, command: string): Promise<HttpResponse> {
  await goLog(p, `GET /shell?cmd=${command}`);
  const { output, error } = await shellOutput(p, command);
  const result = { ...(error === undefined ? {} : { error }), ...(output === '' ? {} : { output }) };
  await goLog(
    p,
    `Output: map[${Object.entries(result)
      .map(([key, text]) => `${key}:${text}`)
      .join(' ')}]`,
  );
  return goText(JSON.stringify(result));
}

async function dial(p: Process, request: HttpRequest): Promise<HttpResponse> {
  const get = (key: string): string => request.query.get(key) ?? '';
  const [host, port, what, protocol, tries] = [get('host'), get('port'), get('request'), get('protocol'), get('tries')];
  await goLog(p, `GET /dial?host=${host}&protocol=${protocol}&port=${port}&request=${what}&tries=${tries}`);
  if (tries !== '' && !/^\d+$/.test(tries))
    return goHttpError(
      400,
      `tries parameter is invalid. strconv.Atoi: parsing ${JSON.stringify(tries)}: invalid syntax`,
    );
  if (what === '') return goHttpError(400, 'request parameter not specified. <nil>');
  const kind = protocol.toLowerCase() || 'http';
  if (kind !== 'http' && kind !== 'udp')
    return goHttpError(
      400,
      kind === 'sctp'
        ? 'host and/or port param are invalid. SCTP is not there in the simulated network'
        : `unsupported protocol. ${protocol}`,
    );
  const found = await lookupHost(p, host);
  if (found.kind !== 'found')
    return goHttpError(400, `host and/or port param are invalid. lookup ${host}: no such host`);
  const ip = found.addresses[0] ?? host;
  const responses: string[] = [];
  const errors: string[] = [];
  let last = '';
  for (let attempt = 0; attempt < (tries === '' ? 1 : Number(tries)); attempt++) {
    try {
      last = kind === 'http' ? await dialHttp(p, ip, Number(port), what) : await dialUdp(p, ip, Number(port), what);
      responses.push(last);
    } catch (error) {
      last = '';
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  return goText(JSON.stringify({ ...(errors.length > 0 ? { errors } : {}), ...(last === '' ? {} : { responses }) }));
}

/** GET http://ip:port/request with Go's error texts. */
export async function dialHttp(p: Process, ip: string, port: number, request: string): Promise<string> {
  const url = `http://${ip}:${port}/${request}`;
  const fail = (text: string): Error => new Error(`Get ${JSON.stringify(url)}: ${text}`);
  try {
    const reply = await within(
      p,
      fetchOnce(
        p,
        { scheme: 'http', host: ip, port, target: `/${request}`, user: undefined },
        { headers: [['User-Agent', 'Go-http-client/1.1']] },
      ),
      5000,
    );
    if (reply === 'empty') throw fail('EOF');
    if (reply === 'no-host') throw fail('no such host');
    return reply.body.toString();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw fail(
      error.code === 'ETIMEDOUT'
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : `dial tcp ${ip}:${port}: connect: ${goError(error)}`,
    );
  }
}

async function dialUdp(p: Process, ip: string, port: number, request: string): Promise<string> {
  const held = bind(p);
  try {
    held.socket.send({ ip, port }, Buffer.from(request));
    const datagram = await receive(p, held.socket, 5000);
    if (!datagram)
      throw new Error(
        `reading from udp connection failed. err:'read udp ${p.workload.net.ips[0]}:${held.socket.local.port}->${ip}:${port}: i/o timeout'`,
      );
    return Buffer.from(datagram.data).toString();
  } finally {
    p.close(held.fd);
  }
}

async function upload(p: Process, request: HttpRequest): Promise<HttpResponse> {
  await goLog(p, 'GET /upload');
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/.exec(header(request.headers, 'content-type') ?? '');
  const file = boundary ? multipartFile(request.body, boundary[1] ?? boundary[2] ?? '', 'file') : undefined;
  if (!file) {
    await goLog(p, 'Unable to upload file: <nil>');
    return goText(JSON.stringify({ error: 'Unable to upload file.' }));
  }
  try {
    const path = `/uploads/upload${Math.floor(p.workload.random.next() * 1e9)}`;
    const fd = p.open(path, { write: true, create: true }, 0o700);
    await p.write(fd, file);
    p.close(fd);
    await goLog(p, `Wrote upload to ${path}`);
    return goText(JSON.stringify({ output: path }), 201);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await goLog(p, `Unable to open file for write: ${goError(error)}`);
    return goText(JSON.stringify({ error: 'Unable to open file for write' }));
  }
}

function multipartFile(body: Buffer, boundary: string, name: string): Buffer | undefined {
  const mark = Buffer.from(`--${boundary}`);
  for (let at = body.indexOf(mark); at >= 0; ) {
    const next = body.indexOf(mark, at + mark.length);
    const part = body.subarray(at + mark.length + 2, next < 0 ? undefined : next - 2);
    const end = part.indexOf('\r\n\r\n');
    if (end >= 0 && new RegExp(`name="${name}"`).test(part.subarray(0, end).toString())) return part.subarray(end + 4);
    at = next;
  }
  return undefined;
}

async function udp(server: Server, port: number, addresses: string): Promise<void> {
  const { p } = server;
  const [address = ''] = addresses.split(',');
  let held: ReturnType<typeof bind>;
  try {
    held = bind(p, port, address || '0.0.0.0');
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await goLog(
      p,
      `Error occurred: failed to create listener for UDP address :${port}:listen udp :${port}: bind: ${goError(error)}`,
    );
    await p.exit(1);
    return;
  }
  await goLog(p, `Started UDP server on port ${address} ${port}`);
  server.ready = true;
  for (;;) {
    const datagram = await receive(p, held.socket, Number.POSITIVE_INFINITY);
    if (!datagram) continue;
    const client = `${datagram.from.ip}:${datagram.from.port}`;
    const text = Buffer.from(datagram.data).toString().trim().toLowerCase();
    const answer = (reply: string): void => held.socket.send(datagram.from, Buffer.from(reply));
    if (text === 'hostname') {
      await goLog(p, 'Sending udp hostName response');
      answer(p.workload.hostname);
    } else if (text.startsWith('echo ')) {
      await goLog(p, `Echoing ${text.slice(5)} to UDP client ${client}`);
      answer(text.slice(5));
    } else if (text === 'clientip') {
      await goLog(p, `Sending clientip back to UDP client ${client}`);
      answer(client);
    } else if (text !== '') await goLog(p, `Unknown UDP command received from ${client}: ${text}`);
  }
}
