import { isSysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { within } from '../../net/sockets.ts';
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
import { HandshakeError, secureTransport } from '../http/secure.ts';
import { type Headers, header, WireError } from '../http/wire.ts';
import { type CurlOptions, readCurlOptions } from './curl-options.ts';

/** Ends a transfer with curl's code and text. */
class CurlError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

interface Transfer {
  readonly p: Process;
  readonly o: CurlOptions;
  readonly started: number;
  connectMs: number;
  firstByteMs: number;
  redirects: number;
  ip: string;
  received: number;
}

/** curl: HTTP and HTTPS, with curl's exit codes and texts (curl 8). */
export async function curl(p: Process): Promise<number> {
  const o = readCurlOptions(p.argv.slice(1));
  if ('problem' in o) {
    await p.complain(`curl: ${o.problem}\ncurl: try 'curl --help' or 'curl --manual' for more information\n`);
    return 2;
  }
  if (o.version) {
    await p.print(`curl ${version} (x86_64-pc-linux-musl) libcurl/${version}\nProtocols: http https\n`);
    return 0;
  }
  if (o.urls.length === 0) {
    await p.complain("curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n");
    return 2;
  }
  let status = 0;
  for (const [index, text] of o.urls.entries()) {
    for (let attempt = 0; ; attempt++) {
      status = await one(p, o, text, index);
      if (status === 0 || attempt >= o.retry) break;
      if (status === 7 && !o.retryRefused && !o.retryAll) break;
      if (![5, 6, 7, 28, 22].includes(status) && !o.retryAll) break;
      const delay = o.retryDelay ?? 2 ** attempt;
      if (!o.silent)
        await p.complain(
          `Warning: Problem : will retry in ${delay} second${delay === 1 ? '' : 's'}. ${o.retry - attempt} ${o.retry - attempt === 1 ? 'retry' : 'retries'} left.\n`,
        );
      await p.sleep(delay * 1000);
    }
  }
  return status;
}

const version = '8.14.1';

async function one(p: Process, o: CurlOptions, text: string, index: number): Promise<number> {
  const t: Transfer = {
    p,
    o,
    started: p.workload.clock.monotonic(),
    connectMs: 0,
    firstByteMs: 0,
    redirects: 0,
    ip: '',
    received: 0,
  };
  let reply: HttpReply | undefined;
  let url: HttpUrl | undefined;
  let code = 0;
  try {
    url = parseUrl(text);
    if (!url)
      throw /^[a-z]+:\/\//i.test(text) && !/^https?:/i.test(text)
        ? new CurlError(1, `Protocol "${text.split(':')[0]}" not supported`)
        : new CurlError(3, 'URL rejected: Malformed input to a URL function');
    const left = (): number => (o.maxTimeMs > 0 ? Math.max(1, o.maxTimeMs - elapsed(t)) : 0);
    const whole = transfer(t, url, index, (answered, at) => {
      reply = answered;
      url = at;
    });
    await (o.maxTimeMs > 0 ? within(p, whole, left()) : whole);
  } catch (error) {
    const failed = explain(error, t, url);
    code = failed.code;
    if (!o.silent || o.showError) await p.complain(`curl: (${failed.code}) ${failed.message}\n`);
  }
  if (o.writeOut !== undefined) await p.print(written(o.writeOut, t, reply, url, code));
  return code;
}

const elapsed = (t: Transfer): number => t.p.workload.clock.monotonic() - t.started;

function explain(error: unknown, t: Transfer, url: HttpUrl | undefined): { code: number; message: string } {
  if (error instanceof CurlError) return error;
  const ms = Math.round(elapsed(t));
  if (error instanceof WireError)
    return error.kind === 'truncated'
      ? { code: 18, message: 'transfer closed with outstanding read data remaining' }
      : { code: 1, message: 'Received HTTP/0.9 when not allowed' };
  if (error instanceof HandshakeError) {
    const certificate = /CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(error.code);
    const why =
      error.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? `SSL: no alternative certificate subject name matches target host name '${url?.host}'`
        : `SSL certificate problem: ${/SELF_SIGNED/.test(error.code) ? 'self-signed certificate in certificate chain' : 'unable to get local issuer certificate'}`;
    return certificate
      ? {
          code: 60,
          message: `${why}\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the webpage mentioned above.`,
        }
      : { code: 35, message: 'TLS connect error: error:0A00010B:SSL routines::wrong version number' };
  }
  if (!isSysError(error)) throw error;
  switch (error.code) {
    case 'ETIMEDOUT':
      return t.connectMs > 0
        ? { code: 28, message: `Operation timed out after ${ms} milliseconds with ${t.received} bytes received` }
        : { code: 28, message: `Connection timed out after ${ms} milliseconds` };
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {
        code: 7,
        message: `Failed to connect to ${url?.host} port ${url?.port} after ${ms} ms: Could not connect to server`,
      };
    case 'ECONNRESET':
      return { code: 56, message: 'Recv failure: Connection reset by peer' };
    case 'EPIPE':
      return { code: 55, message: 'Send failure: Broken pipe' };
    default:
      return { code: 23, message: 'Failure writing output to destination' };
  }
}

async function transfer(
  t: Transfer,
  first: HttpUrl,
  index: number,
  tell: (reply: HttpReply, url: HttpUrl) => void,
): Promise<void> {
  const { p, o } = t;
  let url = first;
  let method = o.method ?? (o.head ? 'HEAD' : o.body === undefined && o.form.length === 0 ? 'GET' : 'POST');
  let body = await bodyOf(t);
  for (;;) {
    const transport = await open(t, url);
    const headers = fields(o, url, body);
    if (o.verbose)
      await p.complain(
        [`${method} ${url.target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), '']
          .map((line) => `> ${line}\r\n`)
          .join(''),
      );
    const reply = await exchange(transport, {
      method,
      target: url.target,
      headers,
      ...(body ? { body: body.data } : {}),
    });
    if (!reply) throw new CurlError(52, 'Empty reply from server');
    t.firstByteMs = elapsed(t);
    tell(reply, url);
    const head = [reply.first, ...reply.headers.map(([name, value]) => `${name}: ${value}`), ''];
    if (o.verbose) await p.complain(head.map((line) => `< ${line}\r\n`).join(''));
    const shown = o.include || o.head ? head.map((line) => `${line}\r\n`).join('') : '';
    const location = header(reply.headers, 'location');
    if (o.follow && location !== undefined && reply.status >= 301 && reply.status <= 308) {
      if (t.redirects++ >= o.maxRedirects) throw new CurlError(47, `Maximum (${o.maxRedirects}) redirects followed`);
      if (shown !== '') await p.print(shown);
      transport.close();
      const next = parseUrl(
        /^https?:/i.test(location)
          ? location
          : `${url.scheme}://${hostField(url)}${location.startsWith('/') ? '' : url.target.replace(/[^/]*$/, '')}${location}`,
      );
      if (!next) throw new CurlError(3, 'URL rejected: Malformed input to a URL function');
      url = next;
      if (reply.status === 303 || (method === 'POST' && reply.status < 307 && o.method === undefined)) {
        method = 'GET';
        body = undefined;
      }
      continue;
    }
    if (o.fail && reply.status >= 400) throw new CurlError(22, `The requested URL returned error: ${reply.status}`);
    await save(t, url, reply, shown, index);
    transport.close();
    if (o.failWithBody && reply.status >= 400)
      throw new CurlError(22, `The requested URL returned error: ${reply.status}`);
    return;
  }
}

async function open(t: Transfer, url: HttpUrl): Promise<Transport> {
  const { p, o } = t;
  const forced = o.resolve
    .map((text) => text.split(':'))
    .find(([host, port]) => host === url.host && Number(port) === url.port)?.[2];
  const connectTo = o.connectTo
    .map((text) => text.split(':'))
    .find(([host, port]) => (host === url.host || host === '') && (port === '' || Number(port) === url.port));
  const host = forced ?? (connectTo?.[2] || url.host);
  const port = connectTo?.[3] ? Number(connectTo[3]) : url.port;
  const connection = await dial(p, host, port, o.connectTimeoutMs);
  if ('kind' in connection) throw new CurlError(6, `Could not resolve host: ${url.host}`);
  t.connectMs = Math.max(0.1, elapsed(t));
  t.ip = connection.ip;
  if (o.verbose)
    await p.complain(
      `*   Trying ${connection.ip}:${port}...\n* Connected to ${url.host} (${connection.ip}) port ${port}\n`,
    );
  if (url.scheme === 'http') return plainTransport(p, connection.fd);
  const ca = o.cacert === undefined ? undefined : await readText(p, o.cacert);
  if (o.cacert !== undefined && ca === undefined)
    throw new CurlError(77, `error setting certificate verify locations:  CAfile: ${o.cacert} CApath: none`);
  const cert = o.cert === undefined ? undefined : await readText(p, o.cert);
  const key = o.key === undefined ? undefined : await readText(p, o.key);
  return secureTransport(p, connection.fd, {
    host: url.host,
    verify: !o.insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}

interface Body {
  readonly data: Uint8Array;
  readonly type: string;
}

async function bodyOf({ p, o }: Transfer): Promise<Body | undefined> {
  if (o.form.length > 0) {
    const boundary = '------------------------coracle0000000000000000';
    const parts: string[] = [];
    for (const field of o.form) {
      const [name = '', value = ''] = [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)];
      const path = value.startsWith('@') ? (value.slice(1).split(';')[0] ?? '') : undefined;
      const text = path === undefined ? value : await readText(p, path);
      if (text === undefined) throw new CurlError(26, `Failed to open/read local data from file/application`);
      const file = path === undefined ? '' : `; filename="${path.split('/').pop()}"`;
      parts.push(
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${file === '' ? '' : 'Content-Type: application/octet-stream\r\n'}\r\n${text}\r\n`,
      );
    }
    return {
      data: Buffer.from(`${parts.join('')}--${boundary}--\r\n`),
      type: `multipart/form-data; boundary=${boundary}`,
    };
  }
  if (o.body === undefined) return undefined;
  const pieces: Buffer[] = [];
  for (const { text, file, binary } of o.body) {
    if (file === undefined) pieces.push(Buffer.from(text));
    else {
      let read: Buffer;
      try {
        const fd = file === '-' ? 0 : p.open(file, { read: true });
        read = await p.readAll(fd);
      } catch (error) {
        if (!isSysError(error)) throw error;
        throw new CurlError(26, `Failed to open ${file}`);
      }
      pieces.push(binary ? read : Buffer.from(read.toString().replace(/[\r\n]/g, '')));
    }
  }
  const data = pieces.reduce(
    (all, piece) => (all.length === 0 ? piece : Buffer.concat([all, Buffer.from('&'), piece])),
    Buffer.alloc(0),
  );
  return { data, type: o.json ? 'application/json' : 'application/x-www-form-urlencoded' };
}

function fields(o: CurlOptions, url: HttpUrl, body: Body | undefined): Headers {
  const own = o.headers.map(
    (text) => [text.split(/[:;]/)[0]?.trim() ?? '', text.slice(text.indexOf(':') + 1).trim()] as const,
  );
  const has = (name: string): boolean => own.some(([key]) => key.toLowerCase() === name);
  const auth = o.user ?? url.user;
  const defaults: (readonly [string, string])[] = [['Host', hostField(url)]];
  if (auth !== undefined)
    defaults.push(['Authorization', `Basic ${Buffer.from(decodeURIComponent(auth)).toString('base64')}`]);
  defaults.push(['User-Agent', o.agent ?? `curl/${version}`], ['Accept', o.json ? 'application/json' : '*/*']);
  if (o.cookie !== undefined) defaults.push(['Cookie', o.cookie]);
  const rest: (readonly [string, string])[] = body
    ? [
        ['Content-Length', String(body.data.length)],
        ['Content-Type', body.type],
      ]
    : [];
  return [
    ...defaults.filter(([name]) => !has(name.toLowerCase())),
    ...own.filter(([, value]) => value !== ''),
    ...rest.filter(([name]) => !has(name.toLowerCase())),
  ];
}

async function save(t: Transfer, url: HttpUrl, reply: HttpReply, head: string, index: number): Promise<void> {
  const { p, o } = t;
  const name =
    o.outputs[index] ?? (o.remoteName ? (url.target.split('?')[0] ?? '').split('/').pop() || undefined : undefined);
  let fd = 1;
  if (name !== undefined && name !== '-') {
    try {
      fd = p.open(o.outputDir === undefined ? name : `${o.outputDir}/${name}`, {
        write: true,
        create: true,
        truncate: true,
      });
    } catch (error) {
      if (!isSysError(error)) throw error;
      throw new CurlError(
        23,
        'client returned ERROR on write, 0 bytes saved'.replace(
          /^.*$/,
          `Failure writing output to destination, passed ${reply.headers.length} returned 0`,
        ),
      );
    }
  }
  if (head !== '') await p.write(fd, head);
  for await (const part of reply.body()) {
    t.received += part.length;
    await p.write(fd, part);
  }
  if (fd !== 1) p.close(fd);
  const terminal = p.fds[1]?.kind === 'tty' && fd === 1;
  if (o.silent || terminal) return;
  const size = String(t.received).padStart(5);
  await p.complain(
    `  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n100 ${size}  100 ${size}    0     0  ${String(Math.round(t.received / Math.max(0.001, elapsed(t) / 1000))).padStart(5)}      0 --:--:-- --:--:-- --:--:-- ${size}\n`,
  );
}

function written(
  format: string,
  t: Transfer,
  reply: HttpReply | undefined,
  url: HttpUrl | undefined,
  code: number,
): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(6);
  const values: Readonly<Record<string, string>> = {
    http_code: String(reply?.status ?? 0).padStart(3, '0'),
    response_code: String(reply?.status ?? 0).padStart(3, '0'),
    time_total: seconds(elapsed(t)),
    time_connect: seconds(t.connectMs),
    time_starttransfer: seconds(t.firstByteMs),
    time_namelookup: seconds(t.connectMs / 2),
    time_appconnect: '0.000000',
    size_download: String(t.received),
    remote_ip: t.ip,
    remote_port: String(url?.port ?? 0),
    content_type: (reply && header(reply.headers, 'content-type')) ?? '',
    redirect_url: (reply && header(reply.headers, 'location')) ?? '',
    num_redirects: String(t.redirects),
    url_effective: url ? `${url.scheme}://${hostField(url)}${url.target}` : '',
    exitcode: String(code),
    errormsg: '',
    method: 'GET',
    http_version: '1.1',
    scheme: url?.scheme ?? '',
  };
  return format
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\r/g, '\r')
    .replace(/%\{(\w+)\}|%%/g, (all, name?: string) => (name === undefined ? '%' : (values[name] ?? all)));
}
