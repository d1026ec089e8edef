/** A reply of the Redis protocol (RESP2). */
export type Reply =
  | { readonly t: 'simple' | 'error'; readonly text: string }
  | { readonly t: 'integer'; readonly value: number }
  | { readonly t: 'bulk'; readonly text: string | null }
  | { readonly t: 'array'; readonly items: readonly Reply[] | null };

export const ok: Reply = { t: 'simple', text: 'OK' };
export const bulk = (text: string | null | undefined): Reply => ({ t: 'bulk', text: text ?? null });
export const integer = (value: number): Reply => ({ t: 'integer', value });
export const failure = (text: string): Reply => ({ t: 'error', text });
export const list = (items: readonly (string | null)[]): Reply => ({ t: 'array', items: items.map(bulk) });

export function encodeReply(reply: Reply): string {
  switch (reply.t) {
    case 'simple':
      return `+${reply.text}\r\n`;
    case 'error':
      return `-${reply.text}\r\n`;
    case 'integer':
      return `:${reply.value}\r\n`;
    case 'bulk':
      return reply.text === null ? '$-1\r\n' : `$${Buffer.byteLength(reply.text)}\r\n${reply.text}\r\n`;
    case 'array':
      return reply.items === null ? '*-1\r\n' : `*${reply.items.length}\r\n${reply.items.map(encodeReply).join('')}`;
  }
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;

/** As redis-cli shows a reply: for people on a terminal, raw into a pipe. */
export function showReply(reply: Reply, raw: boolean, indent = ''): string {
  switch (reply.t) {
    case 'simple':
      return `${reply.text}\n`;
    case 'error':
      return raw ? `${reply.text}\n` : `(error) ${reply.text}\n`;
    case 'integer':
      return raw ? `${reply.value}\n` : `(integer) ${reply.value}\n`;
    case 'bulk':
      return reply.text === null ? (raw ? '\n' : '(nil)\n') : raw ? `${reply.text}\n` : `${quoted(reply.text)}\n`;
    case 'array':
      if (reply.items === null) return raw ? '\n' : '(nil)\n';
      if (reply.items.length === 0) return raw ? '\n' : '(empty array)\n';
      return reply.items
        .map(
          (item, index) =>
            `${raw ? '' : `${index === 0 ? '' : indent}${index + 1}) `}${showReply(item, raw, `${indent}   `)}`,
        )
        .join('');
  }
}

/** Reads requests and replies off a stream of bytes. */
export interface RespReader {
  /** The words of the next command, in RESP or as a plain line; undefined at the end. */
  command(): Promise<readonly string[] | undefined>;
  reply(): Promise<Reply | undefined>;
}

const largest = 64 << 20;

export function respReader(read: () => Promise<Uint8Array | null>): RespReader {
  let held = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const part = await read();
    if (part === null) return false;
    held = Buffer.concat([held, part]);
    if (held.length > largest) throw new Error('Protocol error: too big');
    return true;
  };
  const line = async (): Promise<string | undefined> => {
    for (;;) {
      const end = held.indexOf(10);
      if (end >= 0) {
        const text = held.subarray(0, end).toString().replace(/\r$/, '');
        held = held.subarray(end + 1);
        return text;
      }
      if (!(await more())) return undefined;
    }
  };
  const exactly = async (size: number): Promise<string | undefined> => {
    while (held.length < size + 2) if (!(await more())) return undefined;
    const text = held.subarray(0, size).toString();
    held = held.subarray(size + 2);
    return text;
  };
  const reader: RespReader = {
    async command() {
      const first = await line();
      if (first === undefined) return undefined;
      if (!first.startsWith('*')) return first.trim() === '' ? [] : first.trim().split(/\s+/);
      const words: string[] = [];
      for (let left = Math.min(Number(first.slice(1)), 1 << 20); left > 0; left--) {
        const head = await line();
        const word = head === undefined ? undefined : await exactly(Number(head.slice(1)));
        if (word === undefined) return undefined;
        words.push(word);
      }
      return words;
    },
    async reply() {
      const first = await line();
      if (first === undefined) return undefined;
      const rest = first.slice(1);
      switch (first[0]) {
        case '+':
          return { t: 'simple', text: rest };
        case '-':
          return { t: 'error', text: rest };
        case ':':
          return { t: 'integer', value: Number(rest) };
        case '$':
          return Number(rest) < 0 ? bulk(null) : bulk(await exactly(Number(rest)));
        case '*': {
          if (Number(rest) < 0) return { t: 'array', items: null };
          const items: Reply[] = [];
          for (let left = Number(rest); left > 0; left--) items.push((await reader.reply()) ?? bulk(null));
          return { t: 'array', items };
        }
        default:
          return failure(`Protocol error, got ${JSON.stringify(first[0])} as reply type byte`);
      }
    },
  };
  return reader;
}
