import type { V1EndpointSlice, V1Service } from '../../api/generated/types.ts';
import {
  canonicalIp,
  canonicalName,
  type DnsAnswer,
  type DnsQuery,
  type DnsRecord,
  isBelow,
  reverseAddress,
} from './records.ts';
import type { ZoneData } from './zone-data.ts';

/**
 * The Kubernetes DNS-based service discovery specification (version 1.1.0), with CoreDNS' ways where it leaves room: which
 * names exist, and what they hold. Pure over `ZoneData`.
 */
export interface ZoneOptions {
  /** Without the last dot: `cluster.local`. */
  readonly zone: string;
  /** Seconds that answers may be kept; CoreDNS' default is 5. */
  readonly ttl: number;
  /** `insecure` answers any well-formed pod name, `verified` only those of pods that are there. */
  readonly pods: 'disabled' | 'insecure' | 'verified';
  readonly endpointPodNames?: boolean;
}

export const defaultZone: ZoneOptions = { zone: 'cluster.local', ttl: 5, pods: 'insecure' };

/** Undefined when the name is none of the cluster's: not below the zone, and no reverse name of one of its addresses. */
export function answer(query: DnsQuery, data: ZoneData, options: ZoneOptions): DnsAnswer | undefined {
  const name = canonicalName(query.name);
  const address = reverseAddress(name);
  if (address !== undefined) {
    const names = reverseNames(address, data, options);
    if (names.length === 0) return undefined;
    const records = names.map((it): DnsRecord => ({ name, type: 'PTR', ttl: options.ttl, data: it }));
    return reply(query, name, records, [], options);
  }
  const zone = canonicalName(options.zone);
  if (!isBelow(name, zone)) return undefined;
  const found = lookUp(name === zone ? [] : name.slice(0, -zone.length - 1).split('.'), name, data, {
    ...options,
    zone,
  });
  if (!found) return { ...negative(options), rcode: 'NXDOMAIN' };
  return reply(query, name, found.records, found.additionals ?? [], options);
}

interface Found {
  /** Of all types; the query picks. */
  readonly records: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}
const empty: Found = { records: [] };

function negative({ zone, ttl }: ZoneOptions): DnsAnswer {
  return { rcode: 'NOERROR', authoritative: true, answers: [], authorities: [soa(zone, ttl)], additionals: [] };
}

function soa(zone: string, ttl: number): DnsRecord {
  return {
    name: zone,
    type: 'SOA',
    ttl,
    data: {
      mname: `ns.dns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    },
  };
}

function reply(
  { type }: DnsQuery,
  name: string,
  records: readonly DnsRecord[],
  additionals: readonly DnsRecord[],
  options: ZoneOptions,
): DnsAnswer {
  const own = records.filter((it) => it.name === name);
  const alias = own.filter((it) => it.type === 'CNAME');
  const chosen = alias.length > 0 ? alias : type === 'ANY' ? own : own.filter((it) => it.type === type);
  if (chosen.length === 0) return negative(options);
  const more = type === 'SRV' ? additionals : [];
  return { rcode: 'NOERROR', authoritative: true, answers: chosen, authorities: [], additionals: more };
}

/** What stands at a name, given its labels left of the zone; undefined when it does not exist. */
function lookUp(labels: readonly string[], name: string, data: ZoneData, options: ZoneOptions): Found | undefined {
  const { zone, ttl } = options;
  const kind = labels.at(-1);
  if (kind === undefined) {
    return { records: [soa(zone, ttl), { name: zone, type: 'NS', ttl, data: `ns.dns.${zone}` }] };
  }
  if (kind === 'dns-version' && labels.length === 1) {
    return { records: [{ name, type: 'TXT', ttl, data: ['1.1.0'] }] };
  }
  if (name === `ns.dns.${zone}` || name === `dns.${zone}`) return empty;
  const namespace = labels.at(-2);
  if (kind === 'pod') return podName(labels, name, namespace, data, options);
  if (kind !== 'svc') return undefined;
  if (namespace === undefined) return empty;
  if (!data.hasNamespace(namespace)) return undefined;
  const serviceName = labels.at(-3);
  if (serviceName === undefined) return empty;
  const service = data.service(namespace, serviceName);
  if (!service) return undefined;
  const rest = labels.slice(0, -3);
  return serviceNames(service, namespace, serviceName, rest, name, data, options);
}

function podName(
  labels: readonly string[],
  name: string,
  namespace: string | undefined,
  data: ZoneData,
  { pods, ttl }: ZoneOptions,
): Found | undefined {
  if (pods === 'disabled') return undefined;
  if (namespace === undefined) return empty;
  if (!data.hasNamespace(namespace)) return undefined;
  if (labels.length === 2) return empty;
  const dashed = labels[0] ?? '';
  if (labels.length !== 3) return undefined;
  const v4 = /^\d{1,3}(-\d{1,3}){3}$/.test(dashed);
  if (!v4 && !(/^[0-9a-f-]+$/.test(dashed) && dashed.includes('-'))) return undefined;
  const ip = dashed.replaceAll('-', v4 ? '.' : ':');
  if (v4 && ip.split('.').some((part) => Number(part) > 255)) return undefined;
  if (pods === 'verified' && !data.podByIp(namespace, ip)) return undefined;
  return { records: [{ name, type: v4 ? 'A' : 'AAAA', ttl, data: ip }] };
}

interface Member {
  readonly ip: string;
  /** The label that the member answers to: its host name, else its address with dashes. */
  readonly label: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

function members(slices: readonly V1EndpointSlice[], podNames: boolean): readonly Member[] {
  const out: Member[] = [];
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue;
    const ports = (slice.ports ?? []).map((it) => ({
      name: it.name ?? '',
      protocol: (it.protocol ?? 'TCP').toLowerCase(),
      port: it.port ?? 0,
    }));
    for (const it of slice.endpoints ?? []) {
      // Endpoints of services that publish unready addresses are marked ready by their controller.
      if (!(it.conditions?.ready ?? true)) continue;
      for (const ip of it.addresses) {
        const pod = podNames ? it.targetRef?.name : undefined;
        out.push({ ip, label: it.hostname || pod || ip.replaceAll(/[.:]/g, '-'), ports });
      }
    }
  }
  return out;
}

const addressRecord = (name: string, ip: string, ttl: number): DnsRecord => ({
  name,
  type: ip.includes(':') ? 'AAAA' : 'A',
  ttl,
  data: ip,
});

function serviceNames(
  service: V1Service,
  namespace: string,
  serviceName: string,
  rest: readonly string[],
  name: string,
  data: ZoneData,
  options: ZoneOptions,
): Found | undefined {
  const { zone, ttl } = options;
  const base = `${serviceName}.${namespace}.svc.${zone}`;
  const spec = service.spec;
  if (spec?.type === 'ExternalName') {
    if (rest.length > 0) return undefined;
    const target = canonicalName(spec.externalName ?? '');
    if (/^\d+(\.\d+){3}$/.test(target) || target.includes(':')) return { records: [addressRecord(name, target, ttl)] };
    return { records: [{ name, type: 'CNAME', ttl, data: target }] };
  }
  const ips = (spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : [])).filter((it) => it !== 'None');
  const headless = ips.length === 0;
  const list = headless ? members(data.slices(namespace, serviceName), options.endpointPodNames ?? false) : [];
  // A headless service without any ready endpoint has no records, and so no name.
  if (headless && list.length === 0 && rest.length === 0) return undefined;
  const srv = (port: number, target: string): DnsRecord => ({
    name,
    type: 'SRV',
    ttl,
    data: { priority: 0, weight: 100, port, target },
  });
  const [first, second] = rest;
  if (rest.length === 0) {
    const addresses = headless ? list.map((it) => it.ip) : ips;
    const records: DnsRecord[] = addresses.map((ip) => addressRecord(name, ip, ttl));
    const additionals: DnsRecord[] = [];
    if (headless) {
      for (const member of list) {
        for (const port of member.ports) records.push(srv(port.port, `${member.label}.${base}`));
        additionals.push(addressRecord(`${member.label}.${base}`, member.ip, ttl));
      }
    } else {
      for (const port of spec?.ports ?? []) records.push(srv(port.port, base));
      for (const ip of ips) additionals.push(addressRecord(base, ip, ttl));
    }
    return { records: weighted(records), additionals };
  }
  if (rest.length === 2 && first?.startsWith('_') && second?.startsWith('_')) {
    const [portName, protocol] = [first.slice(1), second.slice(1)];
    if (!headless) {
      const port = (spec?.ports ?? []).find(
        (it) => (it.name ?? '') === portName && (it.protocol ?? 'TCP').toLowerCase() === protocol,
      );
      if (!port) return undefined;
      return { records: [srv(port.port, base)], additionals: ips.map((ip) => addressRecord(base, ip, ttl)) };
    }
    const records: DnsRecord[] = [];
    const additionals: DnsRecord[] = [];
    for (const member of list) {
      const port = member.ports.find((it) => it.name === portName && it.protocol === protocol);
      if (!port) continue;
      records.push(srv(port.port, `${member.label}.${base}`));
      additionals.push(addressRecord(`${member.label}.${base}`, member.ip, ttl));
    }
    return records.length > 0 ? { records: weighted(records), additionals } : undefined;
  }
  if (rest.length === 1) {
    if (first?.startsWith('_')) {
      const exists = (spec?.ports ?? []).some((it) => `_${(it.protocol ?? 'TCP').toLowerCase()}` === first);
      return exists ? empty : undefined;
    }
    const own = list.filter((it) => it.label === first);
    return own.length > 0 ? { records: own.map((it) => addressRecord(name, it.ip, ttl)) } : undefined;
  }
  return undefined;
}

/** Shares the weight of 100 among the SRV records of one answer, as CoreDNS does. */
function weighted(records: readonly DnsRecord[]): readonly DnsRecord[] {
  const count = records.filter((it) => it.type === 'SRV').length;
  if (count < 2) return records;
  const weight = Math.max(1, Math.floor(100 / count));
  return records.map((it) => (it.type === 'SRV' ? { ...it, data: { ...it.data, weight } } : it));
}

function reverseNames(ip: string, data: ZoneData, { zone, endpointPodNames }: ZoneOptions): readonly string[] {
  const service = data.serviceByIp(ip);
  if (service) return [`${service.metadata?.name}.${service.metadata?.namespace}.svc.${zone}`];
  const names = new Set<string>();
  for (const slice of data.slicesByIp(ip)) {
    const owner = slice.metadata?.labels?.['kubernetes.io/service-name'];
    if (owner === undefined) continue;
    for (const member of members([slice], endpointPodNames ?? false)) {
      if (canonicalIp(member.ip) !== canonicalIp(ip)) continue;
      names.add(`${member.label}.${owner}.${slice.metadata?.namespace}.svc.${zone}`);
    }
  }
  return [...names];
}
