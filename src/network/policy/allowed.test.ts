import { describe, expect, it } from 'vitest';
import type { V1NetworkPolicy, V1Pod } from '../../api/generated/types.ts';
import { allowed, type PolicyWorld } from './allowed.ts';

const pod = (name: string, namespace: string, labels: Record<string, string>): V1Pod => ({
  metadata: { name, namespace, labels },
  spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] },
});
const pods = new Map([
  ['10.244.0.1', pod('web', 'shop', { app: 'web' })],
  ['10.244.0.2', pod('db', 'shop', { app: 'db' })],
  ['10.244.0.3', pod('spy', 'other', { app: 'spy' })],
]);
const [web, db, spy, node] = ['10.244.0.1', '10.244.0.2', '10.244.0.3', '192.168.0.1'];
const policy = (spec: V1NetworkPolicy['spec']): V1NetworkPolicy => ({
  metadata: { name: 'p', namespace: 'shop' },
  ...(spec && { spec }),
});
const world = (...policies: readonly V1NetworkPolicy[]): PolicyWorld => ({
  policies: (namespace) => (namespace === 'shop' ? policies : []),
  podByIp: (ip) => pods.get(ip),
  namespaceLabels: (namespace) => ({ 'kubernetes.io/metadata.name': namespace }),
  isNode: (ip) => ip === node,
});
const onDb = { matchLabels: { app: 'db' } };
const denyAll = policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
const fromWeb = policy({ podSelector: onDb, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] });

describe('allowed', () => {
  it.each<readonly [string, readonly V1NetworkPolicy[], string, string, number, boolean]>([
    ['nothing isolates', [], spy, db, 5432, true],
    ['deny all stops ingress', [denyAll], spy, db, 5432, false],
    ['deny all stops egress', [denyAll], web, '1.2.3.4', 443, false],
    ['a node may always probe', [denyAll], node, db, 5432, true],
    ['a pod reaches itself', [denyAll], db, db, 5432, true],
    ['the pod named', [fromWeb], web, db, 5432, true],
    ['another namespace is not this one', [fromWeb], spy, db, 5432, false],
    ['no egress rule leaves egress open', [fromWeb], db, '1.2.3.4', 443, true],
    [
      'a namespace by its label',
      [
        policy({
          podSelector: onDb,
          ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'other' } } }] }],
        }),
      ],
      spy,
      db,
      1,
      true,
    ],
    [
      'a range of ports',
      [policy({ podSelector: onDb, ingress: [{ ports: [{ port: 5000, endPort: 6000 }] }] })],
      web,
      db,
      5432,
      true,
    ],
    [
      'a port outside it',
      [policy({ podSelector: onDb, ingress: [{ ports: [{ port: 5000, endPort: 6000 }] }] })],
      web,
      db,
      80,
      false,
    ],
    ['a port by name', [policy({ podSelector: onDb, ingress: [{ ports: [{ port: 'http' }] }] })], web, db, 8080, true],
    [
      'an address block with an exception',
      [
        policy({
          podSelector: {},
          policyTypes: ['Egress'],
          egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.9.0.0/16'] } }] }],
        }),
      ],
      web,
      '10.9.1.1',
      80,
      false,
    ],
    [
      'rules add up',
      [denyAll, fromWeb, policy({ podSelector: {}, egress: [{}], policyTypes: ['Egress'] })],
      web,
      db,
      5432,
      true,
    ],
  ])('%s', (_, policies, source, destination, port, expected) => {
    expect(allowed({ source, destination, port, protocol: 'TCP' }, world(...policies)).allowed).toBe(expected);
  });
  it('names who isolates', () => {
    expect(allowed({ source: spy, destination: db, port: 1, protocol: 'TCP' }, world(fromWeb))).toEqual({
      allowed: false,
      direction: 'Ingress',
      isolatedBy: ['shop/p'],
    });
  });
});
