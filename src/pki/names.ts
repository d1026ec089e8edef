import { isIP } from 'node:net';
import { children, DerError, type DerValue, implicit, oid, oidText, sequence, setOf, textOf, utf8 } from './der.ts';

/** Who a certificate speaks for. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

/** The names under which a server may be reached. */
export interface AlternativeNames {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly emailAddresses?: readonly string[];
  readonly uris?: readonly string[];
}

const commonNameOid = '2.5.4.3';
const organizationOid = '2.5.4.10';

/** A distinguished name: each O, then CN, as Go writes them. */
export function encodeSubject(subject: Subject): Buffer {
  const part = (id: string, text: string): Buffer => setOf(sequence(oid(id), utf8(text)));
  return sequence(
    ...(subject.organizations ?? []).map((organization) => part(organizationOid, organization)),
    ...(subject.commonName === '' ? [] : [part(commonNameOid, subject.commonName)]),
  );
}

/** Reads a distinguished name; attributes other than CN and O are passed over. */
export function decodeSubject(value: DerValue): Required<Subject> {
  let commonName = '';
  const organizations: string[] = [];
  for (const rdn of children(value)) {
    for (const attribute of children(rdn)) {
      const [type, text] = children(attribute);
      if (!type || !text) throw new DerError('incomplete attribute in a name');
      const id = oidText(type);
      if (id === commonNameOid) commonName = textOf(text);
      else if (id === organizationOid) organizations.push(textOf(text));
    }
  }
  return { commonName, organizations };
}

/** The bytes of an IPv4 or IPv6 address in text. */
export function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  if (isIP(address) !== 6) throw new DerError(`${address} is not an IP address`);
  const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const text = v4 ? `${v4[1]}${hex(v4[2], v4[3])}:${hex(v4[4], v4[5])}` : address;
  const [left = '', right] = text.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
  const out = Buffer.alloc(16);
  [...head, ...zeros, ...tail].forEach((group, index) => {
    out.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  });
  return out;
}

const ipText = (bytes: Buffer): string =>
  bytes.length === 4 ? bytes.join('.') : (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');

/** GeneralNames, as the subjectAltName extension holds them. */
export function encodeAlternativeNames(names: AlternativeNames): Buffer {
  return sequence(
    ...(names.emailAddresses ?? []).map((text) => implicit(1, Buffer.from(text, 'latin1'))),
    ...(names.dnsNames ?? []).map((text) => implicit(2, Buffer.from(text, 'latin1'))),
    ...(names.uris ?? []).map((text) => implicit(6, Buffer.from(text, 'latin1'))),
    ...(names.ipAddresses ?? []).map((text) => implicit(7, ipBytes(text))),
  );
}

export function decodeAlternativeNames(value: DerValue): Required<AlternativeNames> {
  const names = {
    dnsNames: [] as string[],
    ipAddresses: [] as string[],
    emailAddresses: [] as string[],
    uris: [] as string[],
  };
  for (const name of children(value)) {
    if (name.tag === 0x81) names.emailAddresses.push(textOf(name));
    else if (name.tag === 0x82) names.dnsNames.push(textOf(name));
    else if (name.tag === 0x86) names.uris.push(textOf(name));
    else if (name.tag === 0x87) names.ipAddresses.push(ipText(name.content));
  }
  return names;
}
