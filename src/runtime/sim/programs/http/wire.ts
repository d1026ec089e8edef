import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';

/** Header fields in order; names as they were written. */
export type Headers = readonly (readonly [string, string])[];

export const header = (headers: Headers, name: string): string | undefined =>
  headers.find(([key]) => key.toLowerCase() === name)?.[1];

/** Malformed or oversized HTTP. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly kind: 'empty' | 'malformed' | 'too-large' | 'truncated';
  constructor(kind: WireError['kind']) {
    super(kind);
    this.kind = kind;
  }
}

/** Where bytes come from: null at the end. */
export type Source = () => Promise<Uint8Array | null>;

const headLimit = 65_536;

/** Reads heads and bodies of messages off a connection. */
export interface WireReader {
  /** The next message's first line and fields; undefined at an orderly end. */
  head(): Promise<{ readonly first: string; readonly headers: Headers } | undefined>;
  /** The body that the fields announce, piece by piece. `untilEnd`: a response without a length lasts until the end. */
  body(headers: Headers, untilEnd: boolean): AsyncGenerator<Uint8Array, void, void>;
  /** Bytes read but not yet used. */
  buffered(): Uint8Array;
}

export function wireReader(source: Source): WireReader {
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const part = await source();
    if (part === null) return false;
    held = held.length === 0 ? Buffer.from(part) : Buffer.concat([held, part]);
    return true;
  };
  const line = async (): Promise<string> => {
    for (;;) {
      const end = held.indexOf(10);
      if (end >= 0) {
        const text = held.subarray(0, end).toString('latin1').replace(/\r$/, '');
        held = held.subarray(end + 1);
        return text;
      }
      if (held.length > headLimit) throw new WireError('too-large');
      if (!(await more())) throw new WireError('truncated');
    }
  };
  async function* exactly(length: number): AsyncGenerator<Uint8Array, void, void> {
    let left = length;
    while (left > 0) {
      if (held.length === 0 && !(await more())) throw new WireError('truncated');
      const part = held.subarray(0, left);
      held = held.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
  return {
    buffered: () => held,
    async head() {
      while (held.length === 0) if (!(await more())) return undefined;
      const first = await line();
      if (first === '') return this.head();
      const headers: [string, string][] = [];
      let size = first.length;
      for (;;) {
        const text = await line();
        if (text === '') break;
        size += text.length;
        if (size > headLimit || headers.length > 200) throw new WireError('too-large');
        const colon = text.indexOf(':');
        if (colon <= 0) throw new WireError('malformed');
        headers.push([text.slice(0, colon), text.slice(colon + 1).trim()]);
      }
      return { first, headers };
    },
    async *body(headers, untilEnd) {
      if (/\bchunked\b/i.test(header(headers, 'transfer-encoding') ?? '')) {
        for (;;) {
          const size = Number.parseInt(await line(), 16);
          if (Number.isNaN(size)) throw new WireError('malformed');
          if (size === 0) break;
          yield* exactly(size);
          await line();
        }
        while ((await line()) !== '');
        return;
      }
      const length = header(headers, 'content-length');
      if (length !== undefined) {
        if (!/^\d+$/.test(length)) throw new WireError('malformed');
        yield* exactly(Number(length));
      } else if (untilEnd) {
        for (;;) {
          if (held.length > 0) {
            const part = held;
            held = Buffer.alloc(0);
            yield part;
          } else if (!(await more())) return;
        }
      }
    },
  };
}

/** Bytes from a socket of a process. */
export const socketSource =
  (p: Process, fd: number): Source =>
  () =>
    p.read(fd);

/** A message's head as bytes. */
export function encodeHead(first: string, headers: Headers): string {
  return `${first}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

export const reasons: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  417: 'Expectation Failed',
  418: "I'm a teapot",
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
};

export const httpDate = (time: number): string => new Date(time).toUTCString();

/** Whether an error means that the peer is gone. */
export const isGone = (error: unknown): boolean => error instanceof SysError || error instanceof WireError;
