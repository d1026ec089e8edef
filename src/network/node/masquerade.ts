/** The name of the table that lets a node's pods reach the world, in family inet. */
export const masqueradeTable = 'coracle-net';

const v6 = (cidr: string): boolean => cidr.includes(':');

/**
 * A transaction that makes traffic of this node's pods to the outside leave under the node's address. What stays among pods, on whatever
 * node, keeps its source: policies and Services judge by it.
 */
export function masqueradeTransaction(podCidrs: readonly string[], clusterCidrs: readonly string[]): string {
  const rules = podCidrs.map((cidr) => {
    const family = v6(cidr) ? 'ip6' : 'ip';
    const inside = [...clusterCidrs.filter((it) => v6(it) === v6(cidr)), v6(cidr) ? 'ff00::/8' : '224.0.0.0/4'];
    return `${family} saddr ${cidr} ${family} daddr != { ${inside.join(', ')} } masquerade fully-random; `;
  });
  const table = `inet ${masqueradeTable}`;
  return `table ${table}\ndelete table ${table}\ntable ${table} {
  chain postrouting { type nat hook postrouting priority 99; ${rules.join('')}}
}
`;
}
