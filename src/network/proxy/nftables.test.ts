import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { staleFlows } from './conntrack.ts';
import type { Endpoint, ServicePort } from './endpoints.ts';
import { diffTransaction, fullTransaction, purgeTransaction, tableName } from './nftables.ts';
import { type Ruleset, rulesetOf } from './ruleset.ts';

const endpoint = (ip: string, more: Partial<Endpoint> = {}): Endpoint => ({
  ip,
  port: 8080,
  ready: true,
  serving: true,
  terminating: false,
  node: 'n1',
  zoneHints: [],
  nodeHints: [],
  ...more,
});
const port = (name: string, more: Partial<ServicePort> = {}): ServicePort => ({
  key: `default/${name}/TCP/IPv4`,
  namespace: 'default',
  name,
  portName: '',
  protocol: 'TCP',
  port: 80,
  family: 'IPv4',
  clusterIp: '10.96.0.10',
  nodePort: 0,
  externalIps: [],
  loadBalancerIps: [],
  sourceRanges: [],
  affinitySeconds: 0,
  internalLocal: false,
  externalLocal: false,
  endpoints: [endpoint('10.244.0.1'), endpoint('10.244.0.2')],
  ...more,
});
const rules = (...ports: readonly ServicePort[]): Ruleset =>
  rulesetOf(ports, 'ip', { node: { name: 'n1', zone: '' }, clusterCidr: '10.244.0.0/16' });
const none = { chains: [], sets: [] };

describe('rules of services', () => {
  it('spreads, masquerades hairpins and strangers, and opens node ports', () => {
    const text = fullTransaction(rules(port('web', { nodePort: 30080 })));
    expect(text).toContain('numgen random mod 2 vmap { 0 : goto ep-');
    expect(text).toContain(
      'ip saddr 10.244.0.1 meta mark set meta mark | 0x4000; meta l4proto tcp dnat to 10.244.0.1:8080;',
    );
    expect(text).toContain('ip daddr 10.96.0.10 ip saddr != 10.244.0.0/16 meta mark set');
    expect(text).toMatch(/add element ip coracle-proxy nodeports \{ tcp \. 30080 : goto ext-[0-9a-f]+ \}/);
  });
  it('refuses where nobody is behind, drops where the policy hides them', () => {
    expect(fullTransaction(rules(port('web', { endpoints: [] })))).toContain(
      'add element ip coracle-proxy no-endpoints { 10.96.0.10 . tcp . 80 }',
    );
    const far = port('web', { internalLocal: true, endpoints: [endpoint('10.244.1.1', { node: 'n2' })] });
    expect(fullTransaction(rules(far))).toContain('add element ip coracle-proxy dropped { 10.96.0.10 . tcp . 80 }');
  });
  it('writes nothing when nothing changed, and only the difference when something did', () => {
    const before = rules(port('a'), port('b', { key: 'b', clusterIp: '10.96.0.11' }));
    expect(
      diffTransaction(before, rules(port('a'), port('b', { key: 'b', clusterIp: '10.96.0.11' })), none).script,
    ).toBe('');
    const after = rules(
      port('a', { endpoints: [endpoint('10.244.0.1')] }),
      port('b', { key: 'b', clusterIp: '10.96.0.11' }),
    );
    const change = diffTransaction(before, after, none);
    expect(change.script).toContain('flush chain ip coracle-proxy svc-');
    expect(change.script).not.toContain('10.96.0.11');
    expect(change.staleChains).toHaveLength(1);
  });
});

describe('staleFlows', () => {
  const udp = (endpoints: readonly Endpoint[]) =>
    new Map([['k', port('dns', { key: 'k', protocol: 'UDP', port: 53, endpoints })]]);
  it('forgets flows to endpoints that are gone, and those from before the first endpoint', () => {
    expect(
      staleFlows(udp([endpoint('10.244.0.1'), endpoint('10.244.0.2')]), udp([endpoint('10.244.0.2')]), ['k']),
    ).toEqual([['-D', '-p', 'udp', '--orig-dst', '10.96.0.10', '--dport', '53', '--dst-nat', '10.244.0.1']]);
    expect(staleFlows(udp([]), udp([endpoint('10.244.0.2')]), ['k'])).toEqual([
      ['-D', '-p', 'udp', '--orig-dst', '10.96.0.10', '--dport', '53'],
    ]);
    expect(staleFlows(new Map(), new Map([['k', port('web')]]), ['k'])).toEqual([]);
  });
});

/** A network namespace of its own, so that the machine's rules are left alone. */
const usable = spawnSync('unshare', ['-n', 'nft', 'list', 'tables']).status === 0;
describe.skipIf(!usable)('the kernel (left out where nft or the right to a network namespace is missing)', () => {
  const apply = (...scripts: readonly string[]): string => {
    const steps = scripts.map((_, i) => `printf '%s' "$S${i}" | nft -f -`).join(' && ');
    const env = Object.fromEntries(scripts.map((it, i) => [`S${i}`, it]));
    const result = spawnSync('unshare', ['-n', 'sh', '-c', `${steps} && nft list ruleset`], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    return result.status === 0 ? result.stdout : `failed: ${result.stderr}`;
  };
  const busy = rules(
    port('web', { nodePort: 30080, externalIps: ['1.2.3.4'] }),
    port('sticky', { key: 's', clusterIp: '10.96.0.12', affinitySeconds: 60 }),
    port('empty', { key: 'e', clusterIp: '10.96.0.13', nodePort: 30081, endpoints: [] }),
    port('guarded', {
      key: 'g',
      clusterIp: '10.96.0.14',
      loadBalancerIps: ['5.6.7.8'],
      sourceRanges: ['10.0.0.0/8', '192.168.0.0/16'],
      externalLocal: true,
      nodePort: 30082,
    }),
  );
  it('takes the whole table, again, and away', () => {
    const text = apply(fullTransaction(busy), fullTransaction(busy));
    expect(text).toContain(`table ip ${tableName}`);
    expect(text).toContain('dnat to 10.244.0.1:8080');
    expect(apply(fullTransaction(busy), purgeTransaction('ip'))).toBe('');
  });
  it('takes the difference and ends where the whole table would', () => {
    const next = rules(
      port('web', { endpoints: [endpoint('10.244.0.2'), endpoint('10.244.0.3')], nodePort: 30080 }),
      port('empty', { key: 'e', clusterIp: '10.96.0.13', nodePort: 30081 }),
    );
    const first = diffTransaction(busy, next, none);
    const second = diffTransaction(next, next, { chains: first.staleChains, sets: first.staleSets });
    const sorted = (text: string): readonly string[] =>
      text
        .split('\n')
        .map((it) => it.trim())
        .sort();
    expect(sorted(apply(fullTransaction(busy), first.script, second.script))).toEqual(
      sorted(apply(fullTransaction(next))),
    );
    const back = diffTransaction(next, busy, { chains: first.staleChains, sets: first.staleSets });
    expect(apply(fullTransaction(busy), first.script, back.script)).not.toContain('failed');
  });
  it('takes IPv6 too', () => {
    const six = rulesetOf(
      [port('web', { family: 'IPv6', clusterIp: 'fd00::10', nodePort: 30080, endpoints: [endpoint('fd01::1')] })],
      'ip6',
      { node: { name: 'n1', zone: '' } },
    );
    expect(apply(fullTransaction(six))).toContain('dnat to [fd01::1]:8080');
  });
});
