/** DNS messages as this server thinks of them: names in lower case without the last dot, data in dns-packet's shapes. */
export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'SRV' | 'PTR' | 'TXT' | 'NS' | 'SOA';

export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}
export interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

interface Common {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
}
export type DnsRecord =
  | (Common & { readonly type: 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'NS'; readonly data: string })
  | (Common & { readonly type: 'TXT'; readonly data: readonly string[] })
  | (Common & { readonly type: 'SRV'; readonly data: SrvData })
  | (Common & { readonly type: 'SOA'; readonly data: SoaData })
  /** Passed on from another server unread. */
  | (Common & { readonly type: 'OTHER'; readonly typeName: string; readonly data: unknown });

export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';

export interface DnsQuery {
  readonly name: string;
  /** `A`, `AAAA`, … or any other type's name. */
  readonly type: string;
}

export interface DnsAnswer {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export const failure = (rcode: Rcode): DnsAnswer => ({
  rcode,
  authoritative: false,
  answers: [],
  authorities: [],
  additionals: [],
});

/** `Web.Default.` is `web.default`. */
export const canonicalName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** True when `name` is `zone` or below it; the root zone is ''. */
export const isBelow = (name: string, zone: string): boolean =>
  zone === '' || name === zone || name.endsWith(`.${zone}`);

/** The address that a reverse name stands for (`4.3.2.1.in-addr.arpa` is 1.2.3.4), or undefined. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const parts = name.slice(0, -'.in-addr.arpa'.length).split('.');
    return parts.length === 4 && parts.every((it) => /^\d{1,3}$/.test(it)) ? parts.reverse().join('.') : undefined;
  }
  if (name.endsWith('.ip6.arpa')) {
    const digits = name.slice(0, -'.ip6.arpa'.length).split('.');
    if (digits.length !== 32 || !digits.every((it) => /^[0-9a-f]$/.test(it))) return undefined;
    return canonicalIp((digits.reverse().join('').match(/.{4}/g) ?? []).join(':'));
  }
  return undefined;
}

/** One text for an address however it is written; IPv6 in full, without leading zeroes. */
export function canonicalIp(ip: string): string {
  if (!ip.includes(':')) return ip;
  const [head = '', tail] = ip.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const fill = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...new Array<string>(fill).fill('0'), ...right].map((it) => it.replace(/^0+(?=.)/, '')).join(':');
}

/** dgram's word for the family of an address. */
export const familyName = (ip: string): 'udp4' | 'udp6' => (ip.includes(':') ? 'udp6' : 'udp4');
