/** Writes a protobuf message from its end to its beginning, so that every length is known when it has to be written. */
export interface MessageWriter {
  /** How many bytes are written so far. */
  readonly size: number;
  varint(value: number | bigint): void;
  tag(number: number, wireType: 0 | 1 | 2): void;
  text(value: string): void;
  bytes(value: Uint8Array): void;
  double(value: number): void;
  /** Ends a field of bytes that began (in writing order) when `size` was `from`: its length, then its tag. */
  close(number: number, from: number): void;
  /** What has been written, from beginning to end. */
  take(): Buffer;
}

export function messageWriter(capacity = 1024): MessageWriter {
  let buffer = Buffer.allocUnsafe(capacity);
  /** The first byte written. */
  let at = capacity;

  const reserve = (length: number): void => {
    if (at >= length) return;
    const used = buffer.length - at;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, used + length));
    buffer.copy(larger, larger.length - used, at);
    at = larger.length - used;
    buffer = larger;
  };
  const put = (byte: number): void => {
    at -= 1;
    buffer[at] = byte;
  };
  const small = (value: number): void => {
    reserve(5);
    let length = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length += 1;
    at -= length;
    let rest = value;
    for (let i = 0; i < length; i++) {
      buffer[at + i] = i === length - 1 ? rest % 128 : (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
  };

  const writer: MessageWriter = {
    get size() {
      return buffer.length - at;
    },
    varint(value) {
      if (typeof value === 'number' && value >= 0 && value < 2 ** 31) {
        small(value);
        return;
      }
      let rest = BigInt.asUintN(64, BigInt(value));
      const septets: number[] = [];
      do {
        septets.push(Number(rest & 0x7fn));
        rest >>= 7n;
      } while (rest > 0n);
      reserve(10);
      for (let i = septets.length - 1; i >= 0; i--) put((septets[i] ?? 0) | (i === septets.length - 1 ? 0 : 0x80));
    },
    tag: (number, wireType) => small(number * 8 + wireType),
    text(value) {
      const length = Buffer.byteLength(value);
      reserve(length);
      at -= length;
      buffer.write(value, at, length, 'utf8');
    },
    bytes(value) {
      reserve(value.length);
      at -= value.length;
      buffer.set(value, at);
    },
    double(value) {
      reserve(8);
      at -= 8;
      buffer.writeDoubleLE(value, at);
    },
    close(number, from) {
      small(writer.size - from);
      small(number * 8 + 2);
    },
    take: () => buffer.subarray(at),
  };
  return writer;
}
