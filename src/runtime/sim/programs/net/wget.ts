import { isSysError, SysError, strerror } from '../../errno.ts';
import { lookupHost, within } from '../../net/sockets.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import {
  dial,
  exchange,
  type HttpReply,
  type HttpUrl,
  hostField,
  parseUrl,
  plainTransport,
  type Transport,
} from '../http/client.ts';
import { secureTransport } from '../http/secure.ts';
import { type Headers, header, WireError } from '../http/wire.ts';

interface Wanted {
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly showHeaders: boolean;
  readonly quiet: boolean;
  readonly spider: boolean;
}

/** wget [-qSc] [-O FILE] [-P DIR] [-T SEC] [-U AGENT] [--spider] [--header H]… [--post-data D] URL… in busybox's words. */
export async function wget(a: Applet): Promise<number> {
  const options = a.options('qScO:o:P:T:U:Y:t:nbH:D:sXF:', {
    quiet: 'q',
    'server-response': 'S',
    continue: 'c',
    'output-document': 'O',
    'directory-prefix': 'P',
    timeout: 'T',
    'user-agent': 'U',
    header: 'H',
    'post-data': 'D',
    'post-file': 'F',
    spider: 's',
    'no-check-certificate': 'X',
    tries: 't',
    proxy: 'Y',
  });
  if (options.rest.length === 0) throw usage(a);
  const post = options.value('D');
  const headers = options
    .all('H')
    .map((text) => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1).trim()] as const);
  const wanted: Wanted = {
    method: post === undefined ? 'GET' : 'POST',
    headers: [['User-Agent', options.value('U') ?? 'Wget'], ...headers],
    body: post === undefined ? undefined : Buffer.from(post),
    timeoutMs: Number(options.value('T') ?? 900) * 1000,
    showHeaders: options.has('S'),
    quiet: options.has('q'),
    spider: options.has('s'),
  };
  for (const text of options.rest) {
    const url = parseUrl(text);
    if (!url) throw new Failure(`not an http or ftp url: ${text}`);
    await download(a, url, wanted, options.value('O'), options.value('P'));
  }
  return 0;
}

async function download(
  a: Applet,
  first: HttpUrl,
  wanted: Wanted,
  output: string | undefined,
  directory: string | undefined,
): Promise<void> {
  let url = first;
  for (let hops = 0; ; hops++) {
    const reply = await request(a, url, hops > 0 && url.host === first.host ? { ...wanted, quiet: true } : wanted);
    if (reply.status >= 301 && reply.status <= 308 && reply.status !== 304 && hops < 5) {
      const location = header(reply.headers, 'location');
      const next = location?.startsWith('/')
        ? { ...url, target: location }
        : location === undefined
          ? undefined
          : parseUrl(location);
      if (!next) throw new Failure(`server returned error: ${reply.first}`);
      url = next;
      continue;
    }
    if (reply.status < 200 || reply.status > 299) throw new Failure(`server returned error: ${reply.first}`);
    await save(a, url, reply, wanted, output, directory);
    return;
  }
}

async function request(a: Applet, url: HttpUrl, wanted: Wanted): Promise<HttpReply> {
  const { p } = a;
  const timed = <T>(promise: Promise<T>): Promise<T> => within(p, promise, wanted.timeoutMs);
  let fd: number;
  let ip = url.host;
  try {
    const connection = await timed(dial(p, url.host, url.port));
    if ('kind' in connection) throw new Failure(`bad address '${url.host}'`);
    fd = connection.fd;
    ip = connection.ip;
  } catch (error) {
    if (!isSysError(error)) throw error;
    if (error.code === 'ETIMEDOUT' && wanted.timeoutMs < 127_000) throw new Failure('download timed out');
    throw new Failure(`can't connect to remote host (${await addressOf(a, url.host)}): ${strerror(error)}`);
  }
  if (!wanted.quiet) await p.complain(`Connecting to ${hostField(url)} (${ip}:${url.port})\n`);
  let transport: Transport = plainTransport(p, fd);
  if (url.scheme === 'https') {
    await p.complain(`${a.name}: note: TLS certificate validation not implemented\n`);
    try {
      transport = await timed(secureTransport(p, fd, { host: url.host, verify: false }));
    } catch (error) {
      throw new Failure(
        isSysError(error, 'ETIMEDOUT')
          ? 'download timed out'
          : 'TLS error from peer (alert code 40): handshake failure',
      );
    }
  }
  try {
    const { body } = wanted;
    const reply = await timed(
      exchange(transport, {
        method: wanted.method,
        target: url.target,
        headers: [
          ['Host', hostField(url)],
          ...wanted.headers,
          ['Connection', 'close'],
          ...(body
            ? [
                ['Content-Type', 'application/x-www-form-urlencoded'] as const,
                ['Content-Length', String(body.length)] as const,
              ]
            : []),
        ],
        ...(body ? { body } : {}),
      }),
    );
    if (!reply) throw new Failure('error getting response');
    if (wanted.showHeaders) {
      // What is no success is an error at its first line: the fields are not read any more.
      const fields = reply.status < 400 ? [...reply.headers.map(([name, value]) => `${name}: ${value}`), ''] : [];
      await p.complain([reply.first, ...fields].map((line) => `  ${line}\n`).join(''));
    }
    return reply;
  } catch (error) {
    if (isSysError(error, 'ETIMEDOUT')) throw new Failure('download timed out');
    if (error instanceof WireError || isSysError(error)) throw new Failure('error getting response');
    throw error;
  }
}

async function addressOf(a: Applet, host: string): Promise<string> {
  const found = await lookupHost(a.p, host);
  return found.kind === 'found' ? (found.addresses[0] ?? host) : host;
}

async function save(
  a: Applet,
  url: HttpUrl,
  reply: HttpReply,
  wanted: Wanted,
  output: string | undefined,
  directory: string | undefined,
): Promise<void> {
  const { p } = a;
  if (wanted.spider) {
    if (!wanted.quiet) await p.complain('remote file exists\n');
    return;
  }
  const base = (url.target.split('?')[0] ?? '').split('/').pop() || 'index.html';
  const name = output ?? (directory === undefined ? base : `${directory.replace(/\/$/, '')}/${base}`);
  let fd = 1;
  if (name !== '-') {
    try {
      fd = p.open(name, {
        write: true,
        create: true,
        truncate: true,
        ...(output === undefined ? { exclusive: true } : {}),
      });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new Failure(`can't open '${name}': ${strerror(error)}`);
    }
    if (!wanted.quiet) await p.complain(`saving to '${name}'\n`);
  } else if (!wanted.quiet) await p.complain('writing to stdout\n');
  let size = 0;
  try {
    for await (const part of reply.body()) {
      size += part.length;
      await p.write(fd, part);
    }
  } catch (error) {
    if (error instanceof WireError) throw new Failure('connection closed prematurely');
    throw error;
  }
  if (wanted.quiet) return;
  const shown = name.slice(0, 20).padEnd(20);
  await p.complain(`${shown} 100% |${'*'.repeat(32)}| ${String(size).padStart(5)}  0:00:00 ETA\n`);
  await p.complain(name === '-' ? 'written to stdout\n' : `'${name}' saved\n`);
}
