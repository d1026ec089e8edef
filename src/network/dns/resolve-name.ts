import type { DnsAnswer, DnsQuery } from './records.ts';
import { canonicalName } from './records.ts';

/** What a pod's resolv.conf says. */
export interface ResolverConfig {
  readonly searches: readonly string[];
  readonly ndots: number;
}

export type NameResolution =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly canonicalName: string }
  /** The name exists but not with an address of this family. */
  | { readonly kind: 'no-data' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'failed' };

/** CNAMEs followed at most. */
const maxAliases = 8;

/** The names that a stub resolver tries for `name`, in order (resolv.conf(5)). */
export function candidates(name: string, { searches, ndots }: ResolverConfig): readonly string[] {
  if (name.endsWith('.')) return [canonicalName(name)];
  const dots = name.split('.').length - 1;
  const plain = canonicalName(name);
  const searched = searches.map((it) => canonicalName(`${plain}.${it}`));
  return dots >= ndots ? [plain, ...searched] : [...searched, plain];
}

/** Resolves a name as a program in a pod would: search list, ndots, CNAMEs. `ask` answers one question. */
export async function resolveName(
  name: string,
  type: 'A' | 'AAAA',
  config: ResolverConfig,
  ask: (query: DnsQuery) => DnsAnswer | Promise<DnsAnswer>,
): Promise<NameResolution> {
  let exists = false;
  let failed = false;
  for (const candidate of candidates(name, config)) {
    const found = await follow(candidate, type, ask);
    if (found.kind === 'addresses') return found;
    if (found.kind === 'no-data') exists = true;
    if (found.kind === 'failed') failed = true;
  }
  if (failed && !exists) return { kind: 'failed' };
  return { kind: exists ? 'no-data' : 'not-found' };
}

async function follow(
  start: string,
  type: 'A' | 'AAAA',
  ask: (query: DnsQuery) => DnsAnswer | Promise<DnsAnswer>,
): Promise<NameResolution> {
  let name = start;
  for (let i = 0; i < maxAliases; i++) {
    const reply = await ask({ name, type });
    if (reply.rcode === 'NXDOMAIN') return { kind: i === 0 ? 'not-found' : 'no-data' };
    if (reply.rcode !== 'NOERROR') return { kind: 'failed' };
    let current = name;
    // The answer may hold a whole chain already.
    for (let hop = 0; hop < maxAliases; hop++) {
      const addresses: string[] = [];
      let alias: string | undefined;
      for (const it of reply.answers) {
        if (canonicalName(it.name) !== current) continue;
        if (it.type === type) addresses.push(it.data);
        else if (it.type === 'CNAME') alias = canonicalName(it.data);
      }
      if (addresses.length > 0) return { kind: 'addresses', addresses, canonicalName: current };
      if (alias === undefined) break;
      current = alias;
    }
    if (current === name) return { kind: 'no-data' };
    name = current;
  }
  return { kind: 'failed' };
}
