import * as dnsPacket from 'dns-packet';
import type { DnsAnswer, DnsQuery, DnsRecord, Rcode } from './records.ts';

/** A query as it came, with what its answer must repeat. */
export interface WireQuery {
  readonly id: number;
  readonly question: DnsQuery & { readonly class: string };
  readonly recursionDesired: boolean;
  /** The largest answer over UDP. */
  readonly udpSize: number;
  readonly edns: boolean;
  readonly opcode: number;
}

/** By their number in a message. */
export const rcodes: readonly Rcode[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
/** What this server takes over UDP: fits every link without fragments. */
const ownUdpSize = 1232;

/** Undefined for what is no query with one question; throws nothing. */
export function readQuery(message: Buffer): WireQuery | { readonly id: number; readonly malformed: true } | undefined {
  if (message.length < 12) return undefined;
  const id = message.readUInt16BE(0);
  let packet: dnsPacket.DecodedPacket;
  try {
    packet = dnsPacket.decode(message);
  } catch {
    return { id, malformed: true };
  }
  if (packet.type === 'response') return undefined;
  const question = packet.questions?.[0];
  if (!question || packet.questions?.length !== 1) return { id, malformed: true };
  const opt = packet.additionals?.find((it) => it.type === 'OPT') as dnsPacket.OptAnswer | undefined;
  return {
    id,
    question: { name: question.name, type: question.type, class: question.class ?? 'IN' },
    recursionDesired: ((packet.flags ?? 0) & dnsPacket.RECURSION_DESIRED) !== 0,
    udpSize: Math.max(512, opt?.udpPayloadSize ?? 512),
    edns: opt !== undefined,
    opcode: (message.readUInt16BE(2) >> 11) & 0xf,
  };
}

const toWire = (it: DnsRecord): dnsPacket.Answer => {
  if (it.type === 'OTHER') return { name: it.name, type: it.typeName, ttl: it.ttl, data: it.data } as dnsPacket.Answer;
  return { name: it.name, type: it.type, ttl: it.ttl, class: 'IN', data: it.data } as dnsPacket.Answer;
};

/** The answer as bytes; over UDP cut to what the asker takes, with the truncation bit, so that it asks again over TCP. */
export function writeAnswer(query: WireQuery, answer: DnsAnswer, transport: 'udp' | 'tcp'): Buffer {
  const flags =
    (answer.authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
    (query.recursionDesired ? dnsPacket.RECURSION_DESIRED : 0) |
    dnsPacket.RECURSION_AVAILABLE |
    rcodes.indexOf(answer.rcode);
  const opt: dnsPacket.Answer[] = query.edns
    ? [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: ownUdpSize,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        } as dnsPacket.Answer,
      ]
    : [];
  const build = (extra: number, answers: readonly DnsRecord[], more: boolean): Buffer =>
    dnsPacket.encode({
      id: query.id,
      type: 'response',
      flags: flags | extra,
      questions: [query.question as dnsPacket.Question],
      answers: answers.map(toWire),
      authorities: more ? answer.authorities.map(toWire) : [],
      additionals: [...(more ? answer.additionals.map(toWire) : []), ...opt],
    });
  const whole = build(0, answer.answers, true);
  if (transport === 'tcp' || whole.length <= query.udpSize) return whole;
  let keep = answer.answers.length;
  let cut = whole;
  while (cut.length > query.udpSize && keep > 0) {
    keep = Math.floor(keep / 2);
    cut = build(dnsPacket.TRUNCATED_RESPONSE, answer.answers.slice(0, keep), false);
  }
  return cut;
}

/** A bare error for a message that could not be read. */
export function writeFormatError(id: number): Buffer {
  const out = Buffer.alloc(12);
  out.writeUInt16BE(id, 0);
  out.writeUInt16BE(0x8000 | rcodes.indexOf('FORMERR'), 2);
  return out;
}

export function writeQuery(id: number, query: DnsQuery): Buffer {
  return dnsPacket.encode({
    id,
    type: 'query',
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name: query.name, type: query.type as dnsPacket.RecordType, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: ownUdpSize,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      } as dnsPacket.Answer,
    ],
  });
}

const fromWire = (it: dnsPacket.Answer): DnsRecord | undefined => {
  if (it.type === 'OPT') return undefined;
  const { name, ttl = 0 } = it as { name: string; ttl?: number };
  const data = (it as { data?: unknown }).data;
  switch (it.type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return { name, ttl, type: it.type, data: String(data) };
    case 'SRV':
      return {
        name,
        ttl,
        type: 'SRV',
        data: {
          priority: it.data.priority ?? 0,
          weight: it.data.weight ?? 0,
          port: it.data.port,
          target: it.data.target,
        },
      };
    case 'SOA':
      return {
        name,
        ttl,
        type: 'SOA',
        data: {
          mname: it.data.mname,
          rname: it.data.rname,
          serial: it.data.serial ?? 0,
          refresh: it.data.refresh ?? 0,
          retry: it.data.retry ?? 0,
          expire: it.data.expire ?? 0,
          minimum: it.data.minimum ?? 0,
        },
      };
    default:
      return { name, ttl, type: 'OTHER', typeName: it.type, data };
  }
};

/** Another server's answer. Throws when it cannot be read. */
export function readAnswer(message: Buffer): DnsAnswer & { readonly id: number; readonly truncated: boolean } {
  const packet = dnsPacket.decode(message);
  const list = (records: readonly dnsPacket.Answer[] | undefined): readonly DnsRecord[] =>
    (records ?? []).flatMap((it) => fromWire(it) ?? []);
  return {
    id: packet.id ?? 0,
    truncated: ((packet.flags ?? 0) & dnsPacket.TRUNCATED_RESPONSE) !== 0,
    rcode: rcodes[(packet.flags ?? 0) & 0xf] ?? 'SERVFAIL',
    authoritative: false,
    answers: list(packet.answers),
    authorities: list(packet.authorities),
    additionals: list(packet.additionals),
  };
}
