import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { staleFlows } from './conntrack.ts';
import type { Endpoint, ServicePort } from './endpoints.ts';
import { type Family, fragmentOf } from './fragment.ts';
import {
  changeTransaction,
  fullTransaction,
  purgeTransaction,
  type Stale,
  type Transaction,
  tableName,
} from './nftables.ts';
import { type RuleTable, ruleTable } from './rule-table.ts';

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
const cidrs = { ip: '10.244.0.0/16', ip6: 'fd01::/48' };
const fill = (table: RuleTable, ports: readonly ServicePort[]): RuleTable => {
  for (const it of ports) {
    table.set(it.key, fragmentOf(it, { node: { name: 'n1', zone: '' }, clusterCidr: cidrs[table.family] }));
  }
  return table;
};
const rules = (...ports: readonly ServicePort[]): RuleTable => fill(ruleTable('ip'), ports);
const options = (family: Family = 'ip') => ({
  clusterCidr: cidrs[family],
  nodeIps: ['192.168.0.1', 'fd02::1'],
});
const none: Stale = { chains: [], sets: [] };
const full = (table: RuleTable): string => {
  const text = fullTransaction(table, options(table.family));
  table.take();
  return text;
};
/** Leads a table from what it holds to these ports alone. */
const change = (
  table: RuleTable,
  keys: readonly string[],
  ports: readonly ServicePort[],
  stale = none,
): Transaction => {
  for (const key of keys) table.set(key, undefined);
  fill(table, ports);
  return changeTransaction(table, table.take(), options(table.family), stale);
};

describe('rules of services', () => {
  it('spread by shared chains and slots, masquerade strangers and hairpins, open node ports at the node’s addresses', () => {
    const text = full(rules(port('web', { nodePort: 30080 })));
    expect(text).toContain('10.96.0.10 . tcp . 80 : goto cluster-2');
    expect(text).toContain('slot-1 { 10.96.0.10 . tcp . 80 : 10.244.0.2 . 8080 }');
    expect(text).toContain('numgen random mod 2 vmap { 0 : goto slot-0, 1 : goto slot-1 }');
    expect(text).toContain('chain cluster-2 { ip saddr != 10.244.0.0/16 meta mark set');
    expect(text).toContain('nodeports { tcp . 30080 : goto node-2 }');
    expect(text).toContain('node-slot-0 { tcp . 30080 : 10.244.0.1 . 8080 }');
    expect(text).toContain('hairpin { 10.244.0.1 . 10.244.0.1, 10.244.0.2 . 10.244.0.2 }');
    expect(text).toContain('nodeport-ips { 192.168.0.1 }');
  });
  it('refuse where nobody is behind, drop where the policy hides them', () => {
    expect(full(rules(port('web', { endpoints: [] })))).toContain(
      'add element ip coracle-proxy no-endpoints { 10.96.0.10 . tcp . 80 }',
    );
    const far = port('web', { internalLocal: true, endpoints: [endpoint('10.244.1.1', { node: 'n2' })] });
    expect(full(rules(far))).toContain('add element ip coracle-proxy dropped { 10.96.0.10 . tcp . 80 }');
  });
  it('change by elements alone where an endpoint comes or goes, however many services there are', () => {
    const many = Array.from({ length: 300 }, (_, i) => port(`s${i}`, { clusterIp: `10.96.1.${i}`, key: `s${i}` }));
    const three = [endpoint('10.244.0.1'), endpoint('10.244.0.2'), endpoint('10.244.0.3')];
    const table = rules(...many, port('other', { key: 'other', clusterIp: '10.97.0.1', endpoints: three }));
    full(table);
    expect(change(table, [], [port('s7', { clusterIp: '10.96.1.7', key: 's7' })]).script).toBe('');
    const { script } = change(table, [], [port('s7', { clusterIp: '10.96.1.7', key: 's7', endpoints: three })]);
    expect(script.trim().split('\n')).toEqual([
      'delete element ip coracle-proxy service-ips { 10.96.1.7 . tcp . 80 : goto cluster-2 }',
      'add element ip coracle-proxy service-ips { 10.96.1.7 . tcp . 80 : goto cluster-3 }',
      'add element ip coracle-proxy slot-2 { 10.96.1.7 . tcp . 80 : 10.244.0.3 . 8080 }',
    ]);
  });
  it('leave an address to who had it first, and to the next when that one goes', () => {
    const [a, b] = [
      port('a', { key: 'a', externalIps: ['1.2.3.4'] }),
      port('b', { key: 'b', clusterIp: '10.96.0.11', externalIps: ['1.2.3.4'], endpoints: [endpoint('10.244.0.9')] }),
    ];
    const table = rules(a, b);
    expect(full(table)).toContain('1.2.3.4 . tcp . 80 : goto address-2');
    expect(change(table, ['a'], []).script).toContain('1.2.3.4 . tcp . 80 : goto address-1');
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
  const busy = [
    port('web', { nodePort: 30080, externalIps: ['1.2.3.4'] }),
    port('sticky', { key: 's', clusterIp: '10.96.0.12', affinitySeconds: 60, nodePort: 30083 }),
    port('empty', { key: 'e', clusterIp: '10.96.0.13', nodePort: 30081, endpoints: [] }),
    port('guarded', {
      key: 'g',
      clusterIp: '10.96.0.14',
      loadBalancerIps: ['5.6.7.8'],
      sourceRanges: ['10.0.0.0/8', '10.1.0.0/16', '192.168.0.0/16'],
      externalLocal: true,
      nodePort: 30082,
    }),
    port('udp', { key: 'u', protocol: 'UDP', clusterIp: '10.96.0.15' }),
    port('sctp', { key: 'c', protocol: 'SCTP', clusterIp: '10.96.0.16' }),
  ];
  it('takes the whole table, again, and away', () => {
    const text = apply(full(rules(...busy)), full(rules(...busy)));
    expect(text).toContain(`table ip ${tableName}`);
    expect(text).toMatch(/dnat (ip )?to numgen random mod 2 map \{ 0 : 10.244.0.1 . 8080/);
    expect(apply(full(rules(...busy)), purgeTransaction('ip'))).toBe('');
  });
  it('takes the difference and ends where the whole table would', () => {
    const next = [
      port('web', { endpoints: [endpoint('10.244.0.2'), endpoint('10.244.0.3')], nodePort: 30080 }),
      port('empty', { key: 'e', clusterIp: '10.96.0.13', nodePort: 30081 }),
    ];
    const table = rules(...busy);
    const start = full(table);
    const first = change(table, ['s', 'g', 'u', 'c'], next);
    const second = change(table, [], next, first.stale);
    // Shared chains and slots stay, whoever needed them first.
    const whole = rules(...busy);
    fill(whole, next);
    for (const key of ['s', 'g', 'u', 'c']) whole.set(key, undefined);
    const sorted = (text: string): readonly string[] =>
      text
        .replaceAll(/elements = \{([^}]*)\}/g, (_, list: string) =>
          list
            .split(',')
            .map((it) => it.trim())
            .sort()
            .join('\n'),
        )
        .split('\n')
        .map((it) => it.trim())
        .sort();
    expect(sorted(apply(start, first.script, second.script))).toEqual(sorted(apply(full(whole))));
    const back = change(table, [], busy, second.stale);
    expect(sorted(apply(start, first.script, second.script, back.script))).toEqual(sorted(apply(full(rules(...busy)))));
  });
  it('takes IPv6 too', () => {
    const six = fill(ruleTable('ip6'), [
      port('web', { family: 'IPv6', clusterIp: 'fd00::10', nodePort: 30080, endpoints: [endpoint('fd01::1')] }),
      port('sticky', {
        key: 's',
        family: 'IPv6',
        clusterIp: 'fd00::11',
        affinitySeconds: 9,
        endpoints: [endpoint('fd01::1')],
      }),
      port('local', {
        key: 'l',
        family: 'IPv6',
        clusterIp: 'fd00::12',
        nodePort: 30081,
        externalLocal: true,
        endpoints: [endpoint('fd01::1'), endpoint('fd01::2')],
      }),
    ]);
    const text = apply(full(six));
    expect(text).toContain('fd00::10 . tcp . 80 : fd01::1 . 8080');
    expect(text).toContain('dnat to [fd01::1]:8080');
  });
});
