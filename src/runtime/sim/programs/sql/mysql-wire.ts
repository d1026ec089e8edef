import { createHash } from 'node:crypto';

/** A packet of the MySQL protocol: three bytes of length, a sequence number, the payload. */
export function packet(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, payload]);
}

const sha1 = (data: Buffer): Buffer => createHash('sha1').update(data).digest();

/** mysql_native_password's answer to a salt. */
export function nativeAnswer(password: string, salt: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const once = sha1(Buffer.from(password));
  const mask = sha1(Buffer.concat([salt, sha1(once)]));
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

/** The server's greeting (protocol 10). */
export function greeting(version: string, id: number, salt: Buffer): Buffer {
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(id);
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${version}\0`),
    tail,
    salt.subarray(0, 8),
    Buffer.from([0, 0xff, 0xf7, 0x2d, 0x02, 0x00, 0x0f, 0x80, 21]),
    Buffer.alloc(10),
    salt.subarray(8, 20),
    Buffer.from('\0mysql_native_password\0'),
  ]);
}

export const okPacket = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

export function errorPacket(code: number, state: string, text: string): Buffer {
  const head = Buffer.alloc(3);
  head[0] = 0xff;
  head.writeUInt16LE(code, 1);
  return Buffer.concat([head, Buffer.from(`#${state}${text}`)]);
}

/** User and answer out of a client's login packet. */
export function readLogin(payload: Buffer): { readonly user: string; readonly answer: Buffer } {
  const end = payload.indexOf(0, 32);
  const user = payload.subarray(32, end < 0 ? undefined : end).toString();
  const size = end < 0 ? 0 : (payload[end + 1] ?? 0);
  return { user, answer: payload.subarray(end + 2, end + 2 + size) };
}

/** A client's login packet. */
export function login(user: string, answer: Buffer): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(0x000fa685, 0);
  head.writeUInt32LE(1 << 24, 4);
  head[8] = 45;
  return Buffer.concat([
    head,
    Buffer.from(`${user}\0`),
    Buffer.from([answer.length]),
    answer,
    Buffer.from('mysql_native_password\0'),
  ]);
}

const lengthEncoded = (text: string): Buffer => {
  const data = Buffer.from(text);
  if (data.length < 251) return Buffer.concat([Buffer.from([data.length]), data]);
  const head = Buffer.alloc(3);
  head[0] = 0xfc;
  head.writeUInt16LE(data.length, 1);
  return Buffer.concat([head, data]);
};

/** The packets of a result set, from sequence 1. */
export function resultSet(columns: readonly string[], rows: readonly (readonly (string | null)[])[]): Buffer {
  let sequence = 1;
  const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
  const parts = [packet(sequence++, Buffer.from([columns.length]))];
  for (const name of columns)
    parts.push(
      packet(
        sequence++,
        Buffer.concat([
          ...['def', '', '', '', name, name].map(lengthEncoded),
          Buffer.from([0x0c, 45, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0]),
        ]),
      ),
    );
  parts.push(packet(sequence++, eof));
  for (const row of rows)
    parts.push(
      packet(sequence++, Buffer.concat(row.map((cell) => (cell === null ? Buffer.from([0xfb]) : lengthEncoded(cell))))),
    );
  parts.push(packet(sequence++, eof));
  return Buffer.concat(parts);
}

/** Reads packets. */
export function packetReader(
  read: () => Promise<Uint8Array | null>,
): () => Promise<{ readonly sequence: number; readonly payload: Buffer } | undefined> {
  let held = Buffer.alloc(0);
  return async () => {
    for (;;) {
      if (held.length >= 4) {
        const size = held.readUIntLE(0, 3);
        if (held.length >= 4 + size) {
          const result = { sequence: held[3] ?? 0, payload: held.subarray(4, 4 + size) };
          held = held.subarray(4 + size);
          return result;
        }
      }
      const part = await read();
      if (part === null) return undefined;
      held = Buffer.concat([held, part]);
    }
  };
}
