import { type BaseMap, baseMaps, masqueradeMark, type Ruleset } from './ruleset.ts';

/** The name of this proxy's table, in families ip and ip6. */
export const tableName = 'coracle-proxy';

const mapTypes = (family: 'ip' | 'ip6'): Readonly<Record<BaseMap, string>> => {
  const address = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  const frontend = `${address} . inet_proto . inet_service`;
  const port = 'inet_proto . inet_service';
  return {
    'service-ips': `map service-ips { type ${frontend} : verdict; }`,
    nodeports: `map nodeports { type ${port} : verdict; }`,
    'firewall-ips': `map firewall-ips { type ${frontend} : verdict; }`,
    'no-endpoints': `set no-endpoints { type ${frontend}; }`,
    'no-endpoints-nodeports': `set no-endpoints-nodeports { type ${port}; }`,
    dropped: `set dropped { type ${frontend}; }`,
    'dropped-nodeports': `set dropped-nodeports { type ${port}; }`,
  };
};

function baseChains(family: 'ip' | 'ip6'): string {
  const key = `${family} daddr . meta l4proto . th dport`;
  const local = `fib daddr type local ${family} daddr != ${family === 'ip' ? '127.0.0.0/8' : '::1/128'}`;
  const filter = [
    `ct state new ${key} vmap @firewall-ips`,
    `ct state new ${key} @dropped drop`,
    `ct state new ${local} meta l4proto . th dport @dropped-nodeports drop`,
    `ct state new ${key} @no-endpoints reject`,
    `ct state new ${local} meta l4proto . th dport @no-endpoints-nodeports reject`,
  ].join('; ');
  return `  chain services { ${key} vmap @service-ips; ${local} meta l4proto . th dport vmap @nodeports; }
  chain prerouting { type nat hook prerouting priority -100; jump services; }
  chain output { type nat hook output priority -100; jump services; }
  chain postrouting { type nat hook postrouting priority 100; meta mark & ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark ^ ${masqueradeMark} masquerade fully-random; }
  chain filter-prerouting { type filter hook prerouting priority -110; ${key} vmap @firewall-ips; }
  chain filter-input { type filter hook input priority -110; ${filter}; }
  chain filter-forward { type filter hook forward priority -110; ${filter}; }
  chain filter-output { type filter hook output priority -110; ${filter}; }
`;
}

const element = (key: string, value: string): string => (value === '' ? key : `${key} : ${value}`);

/** A transaction that puts the whole table in place of whatever is there. */
export function fullTransaction(ruleset: Ruleset): string {
  const { family, chains, sets, elements } = ruleset;
  const types = mapTypes(family);
  let out = `table ${family} ${tableName}\ndelete table ${family} ${tableName}\ntable ${family} ${tableName} {\n`;
  for (const [name, declaration] of sets) out += `  set ${name} { ${declaration} }\n`;
  for (const name of baseMaps) out += `  ${types[name]}\n`;
  // Endpoints come before the services that go to them.
  for (const name of sortedChains(chains.keys())) {
    out += `  chain ${name} { ${(chains.get(name) ?? []).map((rule) => `${rule}; `).join('')}}\n`;
  }
  out += `${baseChains(family)}}\n`;
  for (const [name, entries] of elements) {
    if (entries.size === 0) continue;
    const list = [...entries].map(([key, value]) => element(key, value)).join(', ');
    out += `add element ${family} ${tableName} ${name} { ${list} }\n`;
  }
  return out;
}

const rank = (name: string): number => (name.startsWith('ep-') ? 0 : name.startsWith('svc-') ? 1 : 2);
const sortedChains = (names: Iterable<string>): readonly string[] => [...names].sort((a, b) => rank(a) - rank(b));

export interface Transaction {
  /** '' when nothing changed. */
  readonly script: string;
  /** Emptied now, to be deleted by a later transaction: the kernel may still hold references within this one. */
  readonly staleChains: readonly string[];
  readonly staleSets: readonly string[];
}

/** A transaction that leads from one state to another, touching only what differs. */
export function diffTransaction(
  from: Ruleset,
  to: Ruleset,
  stale: { readonly chains: readonly string[]; readonly sets: readonly string[] },
): Transaction {
  const table = `${to.family} ${tableName}`;
  const lines: string[] = [];
  for (const name of stale.chains) if (!to.chains.has(name)) lines.push(`delete chain ${table} ${name}`);
  for (const name of stale.sets) if (!to.sets.has(name)) lines.push(`delete set ${table} ${name}`);
  for (const [name, declaration] of to.sets) {
    const old = from.sets.get(name);
    if (old === declaration) continue;
    lines.push(`add set ${table} ${name} { ${declaration} }`);
  }
  const changed = sortedChains(
    [...to.chains.keys()].filter((name) => !same(from.chains.get(name), to.chains.get(name))),
  );
  for (const name of changed) lines.push(`add chain ${table} ${name}`);
  for (const name of changed) {
    if (from.chains.has(name) || stale.chains.includes(name)) lines.push(`flush chain ${table} ${name}`);
    for (const rule of to.chains.get(name) ?? []) lines.push(`add rule ${table} ${name} ${rule}`);
  }
  for (const name of baseMaps) {
    const [before, after] = [from.elements.get(name) ?? new Map(), to.elements.get(name) ?? new Map()];
    const gone = [...before].filter(([key, value]) => after.get(key) !== value);
    const fresh = [...after].filter(([key, value]) => before.get(key) !== value);
    if (gone.length > 0) {
      lines.push(`delete element ${table} ${name} { ${gone.map(([key, value]) => element(key, value)).join(', ')} }`);
    }
    if (fresh.length > 0) {
      lines.push(`add element ${table} ${name} { ${fresh.map(([key, value]) => element(key, value)).join(', ')} }`);
    }
  }
  const staleChains = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  for (const name of staleChains) lines.push(`flush chain ${table} ${name}`);
  const staleSets = [...from.sets.keys()].filter((name) => !to.sets.has(name));
  return { script: lines.length === 0 ? '' : `${lines.join('\n')}\n`, staleChains, staleSets };
}

const same = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((it, i) => it === b[i]);

/** Takes the table away, whether it is there or not. */
export const purgeTransaction = (family: 'ip' | 'ip6'): string =>
  `table ${family} ${tableName}\ndelete table ${family} ${tableName}\n`;
