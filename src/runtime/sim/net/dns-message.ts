import packet from 'dns-packet';

/** What a name server says. Data is as npm dns-packet takes it: an address, a name, `{ priority, weight, port, target }`. */
export interface DnsReply {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';
  readonly answers: readonly {
    readonly name: string;
    readonly type: string;
    readonly ttl: number;
    readonly data: unknown;
  }[];
  /** Whether the server speaks for the zone itself. */
  readonly authoritative?: boolean;
}

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

/** A query for one name. */
export function encodeQuery(id: number, name: string, type: string): Uint8Array {
  return packet.encode({
    type: 'query',
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type: type as packet.RecordType, class: 'IN' }],
  });
}

/** Reads a reply; undefined when it is not one to `id`. */
export function decodeReply(id: number, data: Uint8Array): DnsReply | undefined {
  try {
    const reply = packet.decode(Buffer.from(data));
    if (reply.id !== id) return undefined;
    const code = rcodes[(reply.flags ?? 0) & 15];
    return {
      rcode: code === 'NOERROR' || code === 'NXDOMAIN' || code === 'REFUSED' ? code : 'SERVFAIL',
      answers: (reply.answers ?? []) as DnsReply['answers'],
      authoritative: ((reply.flags ?? 0) & packet.AUTHORITATIVE_ANSWER) !== 0,
    };
  } catch {
    // Not a DNS message.
    return undefined;
  }
}
