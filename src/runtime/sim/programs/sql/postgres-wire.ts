import { createHash } from 'node:crypto';
import type { SqlResult } from './engine.ts';

/** One message of the PostgreSQL protocol, version 3: a type letter, a length, a body. */
export function message(type: string, body: Buffer | string): Buffer {
  const data = typeof body === 'string' ? Buffer.from(body) : body;
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(data.length + 4, type.length);
  return Buffer.concat([head, data]);
}

const int32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeInt32BE(value);
  return out;
};
const int16 = (value: number): Buffer => {
  const out = Buffer.alloc(2);
  out.writeInt16BE(value);
  return out;
};
const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);

export const authentication = (kind: number, salt: Buffer = Buffer.alloc(0)): Buffer =>
  message('R', Buffer.concat([int32(kind), salt]));
export const readyForQuery = message('Z', 'I');
export const parameter = (name: string, value: string): Buffer => message('S', `${name}\0${value}\0`);
export const backendKey = (pid: number): Buffer => message('K', Buffer.concat([int32(pid), int32(0)]));

export const errorResponse = (severity: string, code: string, text: string): Buffer =>
  message('E', `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`);

/** The messages that answer one statement. */
export function resultMessages(result: SqlResult): Buffer {
  if (result.kind === 'error') return errorResponse('ERROR', result.code, result.message);
  if (result.kind === 'done') return result.tag === '' ? message('I', '') : message('C', cstring(result.tag));
  const fields = result.columns.map((name) =>
    Buffer.concat([cstring(name), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]),
  );
  const rows = result.rows.map((row) =>
    message(
      'D',
      Buffer.concat([
        int16(row.length),
        ...row.map((cell) =>
          cell === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(cell)), Buffer.from(cell)]),
        ),
      ]),
    ),
  );
  return Buffer.concat([
    message('T', Buffer.concat([int16(fields.length), ...fields])),
    ...rows,
    message('C', cstring(`SELECT ${rows.length}`)),
  ]);
}

const md5 = (data: string | Buffer): string => createHash('md5').update(data).digest('hex');

/** The answer to a salted md5 question. */
export const md5Answer = (user: string, password: string, salt: Buffer): string =>
  `md5${md5(Buffer.concat([Buffer.from(md5(password + user)), salt]))}`;

/** Reads messages off a connection; the first of a client has no type letter. */
export function messageReader(read: () => Promise<Uint8Array | null>): {
  startup(): Promise<Buffer | undefined>;
  next(): Promise<{ readonly type: string; readonly body: Buffer } | undefined>;
} {
  let held = Buffer.alloc(0);
  const need = async (size: number): Promise<boolean> => {
    while (held.length < size) {
      const part = await read();
      if (part === null) return false;
      held = Buffer.concat([held, part]);
    }
    return true;
  };
  const take = async (at: number): Promise<Buffer | undefined> => {
    if (!(await need(at + 4))) return undefined;
    const size = held.readUInt32BE(at);
    if (size < 4 || size > 1 << 26 || !(await need(at + size))) return undefined;
    const body = held.subarray(at + 4, at + size);
    held = held.subarray(at + size);
    return body;
  };
  return {
    startup: () => take(0),
    async next() {
      if (!(await need(1))) return undefined;
      const type = String.fromCharCode(held[0] ?? 0);
      const body = await take(1);
      return body && { type, body };
    },
  };
}
