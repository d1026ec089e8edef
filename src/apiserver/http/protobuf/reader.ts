/** The bytes are no protobuf message, or not one of these types. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field as it stands on the wire: a number (varint, fixed) or a run of bytes. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Buffer;
  /** The wire type: 0 varint, 1 fixed64, 2 bytes, 5 fixed32. */
  readonly type: number;
}

/** Reads a message's fields in order (protobuf.dev/programming-guides/encoding). Throws `ProtobufError`. */
export function* wireFields(bytes: Buffer): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new ProtobufError('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError('integer overflow');
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new ProtobufError('unexpected EOF');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = Math.floor(key / 8);
    const type = key % 8;
    if (number === 0) throw new ProtobufError('illegal tag 0');
    switch (type) {
      case 0:
        yield { number, type, value: varint() };
        break;
      case 1:
        yield { number, type, value: take(8) };
        break;
      case 2:
        yield { number, type, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, type, value: take(4) };
        break;
      default:
        throw new ProtobufError(`illegal wireType ${type}`);
    }
  }
}
