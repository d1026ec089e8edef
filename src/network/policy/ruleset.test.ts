import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { V1NetworkPolicy, V1Pod } from '../../api/generated/types.ts';
import { fullPolicyTransaction, policyDiff, policyPurge, policyTable } from './nftables.ts';
import { builtInDns, onPodNetwork } from './pods-on-network.ts';
import { type PolicyRuleset, policyRuleset } from './ruleset.ts';

const pod = (ip: string, namespace: string, app: string, nodeName = 'n1'): V1Pod => ({
  metadata: { name: app, namespace, labels: { app } },
  spec: { nodeName, containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { podIP: ip, podIPs: [{ ip }], phase: 'Running' },
});
const pods = [
  pod('10.244.0.1', 'shop', 'web'),
  pod('10.244.0.2', 'shop', 'db'),
  pod('10.244.0.3', 'other', 'spy'),
  pod('10.244.1.4', 'shop', 'far', 'n2'),
];
const policy = (name: string, spec: V1NetworkPolicy['spec']): V1NetworkPolicy => ({
  metadata: { name, namespace: 'shop' },
  ...(spec && { spec }),
});
const rules = (...policies: readonly V1NetworkPolicy[]): PolicyRuleset => rulesWith(pods, ...policies);
const rulesWith = (all: readonly V1Pod[], ...policies: readonly V1NetworkPolicy[]): PolicyRuleset =>
  policyRuleset({
    nodeName: 'n1',
    pods: all,
    policies,
    namespaceLabels: (namespace) => ({ 'kubernetes.io/metadata.name': namespace }),
  });
const chainOf = (ruleset: PolicyRuleset, map: string, ip: string): readonly string[] | undefined =>
  ruleset.chains.get((ruleset.elements.get(map)?.get(ip) ?? '').replace('jump ', ''));
const members = (ruleset: PolicyRuleset, rule: string | undefined): readonly string[] => [
  ...(ruleset.elements.get(/@(\S+)/.exec(rule ?? '')?.[1] ?? '')?.keys() ?? []),
];
const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });

describe('rules of network policies', () => {
  it('isolate the pods of this node alone, and share a chain where they say the same', () => {
    const all = rules(policy('deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
    expect([...(all.elements.get('ingress-pods')?.keys() ?? [])]).toEqual(['10.244.0.1', '10.244.0.2']);
    expect(chainOf(all, 'egress-pods', '10.244.0.1')).toEqual(['drop']);
    expect(all.chains.size).toBe(2);
  });
  it('let peers through by set, on the ports given', () => {
    const some = rules(
      policy('web', {
        podSelector: app('db').podSelector,
        ingress: [
          {
            from: [app('web'), { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'other' } } }],
            ports: [{ port: 5432 }, { port: 9000, endPort: 9010 }, { port: 'http' }, { protocol: 'UDP' }],
          },
        ],
      }),
    );
    const chain = chainOf(some, 'ingress-pods', '10.244.0.2') ?? [];
    expect(chain.map((it) => it.replace(/@\S+/, '@peers'))).toEqual([
      'ip saddr @peers meta l4proto udp return',
      'ip saddr @peers tcp dport { 5432, 8080 } return',
      'ip saddr @peers tcp dport 9000-9010 return',
      'drop',
    ]);
    expect(members(some, chain[0])).toEqual(['10.244.0.1', '10.244.0.3']);
  });
  it('take ranges with holes, and names of ports by the pod reached', () => {
    const some = rules(
      policy('out', {
        podSelector: app('web').podSelector,
        policyTypes: ['Egress'],
        egress: [
          { to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.1.2.0/24'] } }] },
          { to: [app('db'), app('far')], ports: [{ port: 'http' }] },
          { to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 443 }] },
        ],
      }),
    );
    const chain = chainOf(some, 'egress-pods', '10.244.0.1') ?? [];
    expect(chain.map((it) => it.replace(/@\S+/, '@ports'))).toEqual([
      'ip daddr 10.0.0.0/8 ip daddr != { 10.1.0.0/16 } return',
      'ip daddr . meta l4proto . th dport @ports return',
      'tcp dport { 443 } return',
      'drop',
    ]);
    expect(members(some, chain[1])).toEqual(['10.244.0.2 . tcp . 8080', '10.244.1.4 . tcp . 8080']);
    expect(chainOf(some, 'ingress-pods', '10.244.0.1')).toBeUndefined();
  });
  it('know pods by what they have now, and built-in DNS as the pod that policies name', () => {
    expect(onPodNetwork({ ...pods[0], status: { ...pods[0]?.status, phase: 'Failed' } })).toBe(false);
    const slice = {
      metadata: { name: 'kube-dns' },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['203.0.113.1'] }, { addresses: ['10.244.0.9'], targetRef: { kind: 'Pod' } }],
      ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    };
    const toDns = {
      namespaceSelector: {},
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    };
    const some = rulesWith(
      [...pods, ...builtInDns([slice])],
      policy('dns', { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [toDns] }] }),
    );
    expect(members(some, chainOf(some, 'egress-pods', '10.244.0.1')?.[0])).toEqual(['203.0.113.1']);
  });
});

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
  const lines = (text: string): readonly string[] =>
    text
      .split('\n')
      .map((it) => it.trim())
      .sort();
  const six: V1Pod = { ...pod('fd00::5', 'shop', 'db') };
  const one = rulesWith(
    [...pods, six],
    policy('a', {
      podSelector: {},
      ingress: [
        { from: [app('web'), { ipBlock: { cidr: 'fd00::/8', except: ['fd00:1::/32'] } }], ports: [{ port: 'http' }] },
      ],
    }),
    policy('b', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [app('db')], ports: [{ port: 'http' }, { port: 1, endPort: 5 }] }],
    }),
  );
  const two = rulesWith(
    pods.slice(1),
    policy('b', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [app('web'), app('db')], ports: [{ port: 'http' }] }],
    }),
  );
  it('takes the whole table, and away', () => {
    expect(apply(fullPolicyTransaction(one))).toContain(`table inet ${policyTable}`);
    expect(apply(fullPolicyTransaction(one), fullPolicyTransaction(two), policyPurge)).toBe('');
  });
  it('takes the difference and ends where the whole table would', () => {
    const there = policyDiff(one, two, { chains: [], sets: [] });
    const swept = policyDiff(two, two, there.stale);
    expect(lines(apply(fullPolicyTransaction(one), there.script, swept.script))).toEqual(
      lines(apply(fullPolicyTransaction(two))),
    );
    const back = policyDiff(two, one, there.stale);
    const done = policyDiff(one, one, back.stale);
    expect(lines(apply(fullPolicyTransaction(one), there.script, back.script, done.script))).toEqual(
      lines(apply(fullPolicyTransaction(one))),
    );
  });
});
