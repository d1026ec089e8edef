import type { PolicyRuleset, verdictMaps } from './ruleset.ts';

/** The name of the table that enforces policies, in family inet. */
export const policyTable = 'coracle-policy';
const table = `inet ${policyTable}`;

/**
 * Connections that were let in stay, replies always pass. What a pod sends is judged where it is forwarded and where it reaches the node
 * itself (cluster DNS may live there); what the node's own processes send to a pod is not judged, or the kubelet could not probe.
 */
const baseChains = `  chain sent { ip saddr vmap @egress-pods; ip6 saddr vmap @egress-pods6; }
  chain received { ip daddr vmap @ingress-pods; ip6 daddr vmap @ingress-pods6; }
  chain to-itself { ip saddr . ip daddr @itself accept; ip6 saddr . ip6 daddr @itself6 accept; }
  chain forward { type filter hook forward priority 0; ct state established,related accept; meta l4proto ipv6-icmp icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-router-solicit } accept; jump to-itself; jump sent; jump received; }
  chain input { type filter hook input priority 0; ct state established,related accept; meta l4proto ipv6-icmp icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-router-solicit } accept; jump sent; }
`;
const baseMaps = `  map ingress-pods { type ipv4_addr : verdict; }
  map egress-pods { type ipv4_addr : verdict; }
  map ingress-pods6 { type ipv6_addr : verdict; }
  map egress-pods6 { type ipv6_addr : verdict; }
  set itself { type ipv4_addr . ipv4_addr; }
  set itself6 { type ipv6_addr . ipv6_addr; }
  set alive { type mark; elements = { 1 } }
`;

const element = (key: string, value: string): string => (value === '' ? key : `${key} : ${value}`);
const elementsOf = (verb: 'add' | 'delete', name: string, entries: readonly (readonly [string, string])[]): string =>
  `${verb} element ${table} ${name} { ${entries.map(([key, value]) => element(key, value)).join(', ')} }`;

/** The elements of everything, those that the base needs among them: a pod may always reach itself. */
function allElements(ruleset: PolicyRuleset): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const own = (...maps: readonly (typeof verdictMaps)[number][]): ReadonlyMap<string, string> =>
    new Map(maps.flatMap((name) => [...(ruleset.elements.get(name)?.keys() ?? [])].map((ip) => [`${ip} . ${ip}`, ''])));
  return new Map([
    ...ruleset.elements,
    ['itself', own('ingress-pods', 'egress-pods')],
    ['itself6', own('ingress-pods6', 'egress-pods6')],
  ]);
}

/** A transaction that puts the whole table in place of whatever is there. */
export function fullPolicyTransaction(ruleset: PolicyRuleset): string {
  let out = `table ${table}\ndelete table ${table}\ntable ${table} {\n${baseMaps}`;
  for (const [name, type] of ruleset.sets) out += `  set ${name} { type ${type}; }\n`;
  for (const [name, rules] of ruleset.chains) out += `  chain ${name} { ${rules.map((it) => `${it}; `).join('')}}\n`;
  out += `${baseChains}}\n`;
  for (const [name, entries] of allElements(ruleset)) {
    if (entries.size > 0) out += `${elementsOf('add', name, [...entries])}\n`;
  }
  return out;
}

export interface PolicyTransaction {
  /** '' when nothing changed. */
  readonly script: string;
  /** Not used any more, to be deleted by a later transaction: the kernel may still hold references within this one. */
  readonly stale: { readonly chains: readonly string[]; readonly sets: readonly string[] };
}

/** A transaction that leads from one state to another, touching only what differs. */
export function policyDiff(
  from: PolicyRuleset,
  to: PolicyRuleset,
  stale: PolicyTransaction['stale'],
): PolicyTransaction {
  const lines: string[] = [];
  // What is wanted again is made anew, once its old self is gone.
  for (const name of stale.chains) lines.push(`delete chain ${table} ${name}`);
  for (const name of stale.sets) lines.push(`delete set ${table} ${name}`);
  for (const [name, type] of to.sets)
    if (!from.sets.has(name)) lines.push(`add set ${table} ${name} { type ${type}; }`);
  for (const [name, rules] of to.chains) {
    // A chain's name is made of its content.
    if (from.chains.has(name)) continue;
    lines.push(`add chain ${table} ${name}`);
    for (const rule of rules) lines.push(`add rule ${table} ${name} ${rule}`);
  }
  const [before, after] = [allElements(from), allElements(to)];
  for (const [name, wanted] of after) {
    const present = before.get(name) ?? new Map<string, string>();
    const gone = [...present].filter(([key, value]) => wanted.get(key) !== value);
    const fresh = [...wanted].filter(([key, value]) => present.get(key) !== value);
    if (gone.length > 0) lines.push(elementsOf('delete', name, gone));
    if (fresh.length > 0) lines.push(elementsOf('add', name, fresh));
  }
  const chains = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  for (const name of chains) lines.push(`flush chain ${table} ${name}`);
  const sets = [...from.sets.keys()].filter((name) => !to.sets.has(name));
  return { script: lines.length === 0 ? '' : `${lines.join('\n')}\n`, stale: { chains, sets } };
}

/** Takes the table away, whether it is there or not. */
export const policyPurge = `table ${table}\ndelete table ${table}\n`;

/** What `nft --check` refuses unless the table is there as it was made; cheap in any table, as listing is not. */
export const policyAliveCheck = `delete element ${table} alive { 1 }\n`;
