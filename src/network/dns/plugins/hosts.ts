import type { DnsPlugin } from '../chain.ts';
import { canonicalIp, canonicalName, type DnsRecord, isBelow, reverseAddress } from '../records.ts';

/** Answers from lines like /etc/hosts: of a file, and of the directive's own body. */
export const hostsPlugin: DnsPlugin = {
  name: 'hosts',
  async setup({ args, body }, { zones, readFile }) {
    const own = args.slice(1).map(canonicalName);
    const served = own.length > 0 ? own : zones;
    const names = new Map<string, string[]>();
    const addresses = new Map<string, string[]>();
    const add = (ip: string, hosts: readonly string[]): void => {
      for (const host of hosts.map(canonicalName)) {
        names.set(host, [...(names.get(host) ?? []), ip]);
        addresses.set(canonicalIp(ip), [...(addresses.get(canonicalIp(ip)) ?? []), host]);
      }
    };
    let ttl = 3600;
    let through: readonly string[] | undefined;
    if (args[0] !== undefined) {
      for (const text of (await readFile(args[0])).split('\n')) {
        const [ip, ...hosts] = text.replace(/#.*/, '').trim().split(/\s+/);
        if (ip && hosts.length > 0) add(ip, hosts);
      }
    }
    for (const it of body) {
      if (it.name === 'ttl') ttl = Number(it.args[0] ?? ttl);
      else if (it.name === 'fallthrough') through = it.args.map(canonicalName);
      else if (/^[0-9a-fA-F]*[.:]/.test(it.name)) add(it.name, it.args);
    }
    return (next) => async (request) => {
      const name = canonicalName(request.name);
      const reverse = reverseAddress(name);
      const answers: DnsRecord[] = [];
      if (reverse !== undefined && request.type === 'PTR') {
        for (const data of addresses.get(reverse) ?? []) answers.push({ name, type: 'PTR', ttl, data });
      } else {
        for (const data of names.get(name) ?? []) {
          const type = data.includes(':') ? 'AAAA' : 'A';
          if (type === request.type) answers.push({ name, type, ttl, data });
        }
      }
      if (!served.some((zone) => isBelow(name, zone))) return next(request);
      if (answers.length === 0 && !names.has(name)) {
        const passes = through && (through.length === 0 || through.some((zone) => isBelow(name, zone)));
        if (passes) return next(request);
        return { rcode: 'NXDOMAIN', authoritative: true, answers: [], authorities: [], additionals: [] };
      }
      return { rcode: 'NOERROR', authoritative: true, answers, authorities: [], additionals: [] };
    };
  },
};
