import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { V1Node } from '../../api/generated/types.ts';
import { masqueradeTable, masqueradeTransaction } from './masquerade.ts';
import { parseRoutes, podRoutes, routeChanges } from './routes.ts';

const node = (name: string, ip: string, ...podCIDRs: readonly string[]): V1Node => ({
  metadata: { name },
  spec: { podCIDR: podCIDRs[0] ?? '', podCIDRs },
  status: { addresses: [{ type: 'Hostname', address: name }, ...(ip ? [{ type: 'InternalIP', address: ip }] : [])] },
});

describe('routes to pods of other nodes', () => {
  it('lead by way of their nodes, not of this one, nor of nodes without an address', () => {
    const all = [
      node('a', '10.0.0.1', '10.244.0.0/24'),
      node('b', '10.0.0.2', '10.244.1.0/24', 'fd00:1::/64'),
      node('c', '', '10.244.2.0/24'),
      node('d', '10.0.0.4'),
    ];
    expect(podRoutes(all, 'a')).toEqual([{ cidr: '10.244.1.0/24', via: '10.0.0.2' }]);
  });
  it('change by difference', () => {
    const present = parseRoutes(
      '10.244.1.0/24 via 10.0.0.2 dev eth0 proto 158\n10.244.2.0/24 via 10.0.0.3 dev eth0 proto 158 \n10.244.9.0/24 via 10.0.0.9 dev eth0\n',
    );
    const wanted = [
      { cidr: '10.244.1.0/24', via: '10.0.0.2' },
      { cidr: '10.244.2.0/24', via: '10.0.0.4' },
    ];
    expect(routeChanges(present, wanted)).toEqual([
      ['route', 'del', '10.244.9.0/24', 'proto', '158'],
      ['route', 'replace', '10.244.2.0/24', 'via', '10.0.0.4', 'proto', '158'],
    ]);
    expect(routeChanges(wanted, wanted)).toEqual([]);
  });
});

const usable = spawnSync('unshare', ['-n', 'nft', 'list', 'tables']).status === 0;
describe.skipIf(!usable)('masquerading (left out where nft or the right to a network namespace is missing)', () => {
  it('is what the kernel takes, in both families, again and again', () => {
    const script = masqueradeTransaction(['10.244.1.0/24', 'fd00:1::/64'], ['10.244.0.0/16', 'fd00::/48']);
    const result = spawnSync(
      'unshare',
      ['-n', 'sh', '-c', 'printf %s "$S" | nft -f - && printf %s "$S" | nft -f - && nft list ruleset'],
      {
        env: { ...process.env, S: script },
        encoding: 'utf8',
      },
    );
    expect(result.stderr).toBe('');
    expect(result.stdout).toContain(`table inet ${masqueradeTable}`);
    expect(result.stdout).toContain('ip saddr 10.244.1.0/24 ip daddr != { 10.244.0.0/16, 224.0.0.0/4 } masquerade');
  });
});
