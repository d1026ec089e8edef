import { type Family, markIt, masqueradeMark, type Spread, spreadName } from './fragment.ts';
import type { RuleTable, TableChange } from './rule-table.ts';

/** The name of this proxy's table, in families ip and ip6. */
export const tableName = 'coracle-proxy';

export interface TableOptions {
  /** The pods' address range of this family: what comes from outside it is masqueraded on its way to a cluster address. */
  readonly clusterCidr?: string;
  /** Addresses of this node at which node ports answer. */
  readonly nodeIps: readonly string[];
}

const addressType = (family: Family): string => (family === 'ip' ? 'ipv4_addr' : 'ipv6_addr');

function baseMaps(family: Family): readonly string[] {
  const address = addressType(family);
  const frontend = `${address} . inet_proto . inet_service`;
  const port = 'inet_proto . inet_service';
  return [
    `map service-ips { type ${frontend} : verdict; }`,
    `map nodeports { type ${port} : verdict; }`,
    `map firewall-ips { type ${frontend} : verdict; }`,
    `set nodeport-ips { type ${address}; }`,
    `set hairpin { type ${address} . ${address}; }`,
    `set no-endpoints { type ${frontend}; }`,
    `set no-endpoints-nodeports { type ${port}; }`,
    `set dropped { type ${frontend}; }`,
    `set dropped-nodeports { type ${port}; }`,
    'set alive { type mark; elements = { 1 } }',
  ];
}

const frontendKey = (family: Family): string => `${family} daddr . meta l4proto . th dport`;

/** A slot holds, for each frontend that has so many endpoints, the endpoint of that number. */
function slotParts(family: Family, name: string): { readonly map: string; readonly rules: readonly string[] } {
  const node = name.startsWith('node-');
  const address = addressType(family);
  const key = node ? 'inet_proto . inet_service' : `${address} . inet_proto . inet_service`;
  const lookUp = node ? 'meta l4proto . th dport' : frontendKey(family);
  return {
    map: `type ${key} : ${address} . inet_service;`,
    rules: [`meta l4proto { tcp, udp, sctp } dnat ${family} to ${lookUp} map @${name}`],
  };
}

function spreadRules(family: Family, spread: Spread, options: TableOptions): readonly string[] {
  const { way, count } = spread;
  const strangers = options.clusterCidr ? [`${family} saddr != ${options.clusterCidr} ${markIt}`] : [];
  const slot = way === 'node' ? 'node-slot' : 'slot';
  const choices = Array.from({ length: count }, (_, i) => `${i} : goto ${slot}-${i}`).join(', ');
  return [
    ...(way === 'cluster' ? strangers : [markIt]),
    count === 1 ? `goto ${slot}-0` : `numgen random mod ${count} vmap { ${choices} }`,
  ];
}

function baseChains(family: Family): string {
  const key = frontendKey(family);
  const local = `${family} daddr @nodeport-ips`;
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
  chain postrouting { type nat hook postrouting priority 100; meta mark & ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark ^ ${masqueradeMark} masquerade fully-random; ${family} saddr . ${family} daddr @hairpin masquerade fully-random; }
  chain filter-prerouting { type filter hook prerouting priority -110; ${key} vmap @firewall-ips; }
  chain filter-input { type filter hook input priority -110; ${filter}; }
  chain filter-forward { type filter hook forward priority -110; ${filter}; }
  chain filter-output { type filter hook output priority -110; ${filter}; }
`;
}

const element = (key: string, value: string): string => (value === '' ? key : `${key} : ${value}`);
const chainText = (name: string, rules: readonly string[]): string =>
  `  chain ${name} { ${rules.map((rule) => `${rule}; `).join('')}}\n`;

/** A transaction that puts the whole table in place of whatever is there. */
export function fullTransaction(table: RuleTable, options: TableOptions): string {
  const { family } = table;
  let out = `table ${family} ${tableName}\ndelete table ${family} ${tableName}\ntable ${family} ${tableName} {\n`;
  for (const map of baseMaps(family)) out += `  ${map}\n`;
  for (const [name, declaration] of table.sets()) out += `  set ${name} { ${declaration} }\n`;
  for (const [kind, count] of Object.entries(table.slots())) {
    for (let i = 0; i < count; i++) {
      const { map, rules } = slotParts(family, `${kind}-${i}`);
      out += `  map ${kind}-${i} { ${map} }\n${chainText(`${kind}-${i}`, rules)}`;
    }
  }
  for (const spread of table.spreads().values()) {
    out += chainText(spreadName(spread), spreadRules(family, spread, options));
  }
  for (const name of sorted(table.chains().keys())) out += chainText(name, table.chains().get(name) ?? []);
  out += `${baseChains(family)}}\n`;
  const nodeIps = options.nodeIps.filter((ip) => ip.includes(':') === (family === 'ip6'));
  if (nodeIps.length > 0) out += `add element ${family} ${tableName} nodeport-ips { ${nodeIps.join(', ')} }\n`;
  for (const map of table.maps()) {
    const list = [...table.elements(map)].map(([key, value]) => element(key, value));
    if (list.length > 0) out += `add element ${family} ${tableName} ${map} { ${list.join(', ')} }\n`;
  }
  return out;
}

/** Endpoints come before what goes to them. */
const ranks: Readonly<Record<string, number>> = { ep: 0, all: 1, svc: 1 };
const rank = (name: string): number => ranks[name.slice(0, name.indexOf('-'))] ?? 2;
const sorted = (names: Iterable<string>): readonly string[] => [...names].sort((a, b) => rank(a) - rank(b));

/** Not used any more, to be deleted by a later transaction: the kernel may still hold references within this one. */
export interface Stale {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}
export interface Transaction {
  /** '' when nothing changed. */
  readonly script: string;
  readonly stale: Stale;
}

/** The transaction that a change asks for. Most changes are elements of maps that are there: their cost does not grow with the table. */
export function changeTransaction(
  table: RuleTable,
  change: TableChange,
  options: TableOptions,
  stale: Stale,
): Transaction {
  const { family } = table;
  const at = `${family} ${tableName}`;
  const lines: string[] = [];
  const addChain = (name: string, rules: readonly string[]): void => {
    lines.push(`add chain ${at} ${name}`);
    for (const rule of rules) lines.push(`add rule ${at} ${name} ${rule}`);
  };
  // What is wanted again is made anew, once its old self is gone.
  for (const name of stale.chains) lines.push(`delete chain ${at} ${name}`);
  for (const name of stale.sets) lines.push(`delete set ${at} ${name}`);
  for (const name of change.newSlots) {
    const { map, rules } = slotParts(family, name);
    lines.push(`add map ${at} ${name} { ${map} }`);
    addChain(name, rules);
  }
  for (const spread of change.newSpreads) addChain(spreadName(spread), spreadRules(family, spread, options));
  for (const { name, after } of change.sets) if (after !== undefined) lines.push(`add set ${at} ${name} { ${after} }`);
  const byName = new Map(change.chains.map((it) => [it.name, it]));
  for (const name of sorted(byName.keys())) {
    const it = byName.get(name);
    if (it?.after === undefined) continue;
    if (it.before !== undefined) lines.push(`flush chain ${at} ${name}`);
    addChain(name, it.after);
  }
  const gone = new Map<string, string[]>();
  const fresh = new Map<string, string[]>();
  const push = (to: Map<string, string[]>, map: string, text: string): void => {
    const list = to.get(map);
    if (list) list.push(text);
    else to.set(map, [text]);
  };
  for (const { map, key, before, after } of change.elements) {
    if (before !== undefined) push(gone, map, element(key, before));
    if (after !== undefined) push(fresh, map, element(key, after));
  }
  for (const [map, list] of gone) lines.push(`delete element ${at} ${map} { ${list.join(', ')} }`);
  for (const [map, list] of fresh) lines.push(`add element ${at} ${map} { ${list.join(', ')} }`);
  const chains = change.chains.filter((it) => it.after === undefined).map((it) => it.name);
  for (const name of chains) lines.push(`flush chain ${at} ${name}`);
  const sets = change.sets.filter((it) => it.after === undefined).map((it) => it.name);
  return { script: lines.length === 0 ? '' : `${lines.join('\n')}\n`, stale: { chains, sets } };
}

/**
 * What `nft --check` refuses unless the table is there as it was made: listing would read all elements, which takes seconds in a big
 * table, while this costs the same in any.
 */
export const aliveCheck = (family: Family): string => `delete element ${family} ${tableName} alive { 1 }\n`;

/** Takes the table away, whether it is there or not. */
export const purgeTransaction = (family: Family): string =>
  `table ${family} ${tableName}\ndelete table ${family} ${tableName}\n`;
