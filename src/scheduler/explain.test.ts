import { describe, expect, it } from 'vitest';
import type { V1Node, V1PersistentVolumeClaim, V1Pod } from '../api/generated/types.ts';
import { explain, snapshotOf, whatIf } from './explain.ts';
import { testNode, testPod } from './fixtures.ts';
import type { World } from './world.ts';

const three = ['a', 'b', 'c'].map((name) => testNode(name));
const noHelp = (count: number): string =>
  `preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`;
const claim = (name: string, spec: V1PersistentVolumeClaim['spec'], annotations = {}): V1PersistentVolumeClaim => ({
  metadata: { name, namespace: 'default', uid: `pvc-${name}`, annotations },
  ...(spec && { spec }),
});
const withClaim = (name: string): V1Pod =>
  testPod('p', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }] });

interface Case {
  readonly what: string;
  readonly nodes?: readonly V1Node[];
  readonly pods?: readonly V1Pod[];
  readonly pod: V1Pod;
  readonly world?: Partial<World>;
  readonly says: string;
}

const cases: readonly Case[] = [
  { what: 'no nodes', nodes: [], pod: testPod('p'), says: 'no nodes available to schedule pods' },
  {
    what: 'more cpu than any node has',
    pod: testPod('p', {}, { requests: { cpu: '1000' } }),
    says: `0/3 nodes are available: 3 Insufficient cpu. ${noHelp(3)}`,
  },
  {
    what: 'reasons counted and sorted',
    nodes: [
      testNode('a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
      testNode('b', { spec: { unschedulable: true } }),
      testNode('c', { allocatable: { cpu: '1', memory: '1Gi' } }),
    ],
    pod: testPod('p', {}, { requests: { cpu: '2', memory: '2Gi' } }),
    says: `0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${noHelp(3)}`,
  },
  {
    what: 'full of pods of the same priority',
    nodes: [testNode('a', { allocatable: { pods: '1' } })],
    pods: [testPod('x', { nodeName: 'a' })],
    pod: testPod('p'),
    says: '0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  },
  {
    what: 'a node selector nobody meets',
    pod: testPod('p', { nodeSelector: { disk: 'ssd' } }),
    says: `0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${noHelp(3)}`,
  },
  {
    what: 'a daemon pod whose node is full',
    nodes: [testNode('a', { allocatable: { cpu: '0' } }), testNode('b')],
    pod: testPod(
      'p',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
            },
          },
        },
      },
      { requests: { cpu: '1' } },
    ),
    says: `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${noHelp(2)}`,
  },
  {
    what: 'a host port that is taken',
    nodes: [testNode('a')],
    pods: [testPod('x', { nodeName: 'a', containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] })],
    pod: testPod('p', {
      containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' }] }],
    }),
    says: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    what: 'an extended resource that no node has',
    nodes: [testNode('a')],
    pod: testPod('p', {}, { requests: { 'nvidia.com/gpu': '1' } }),
    says: `0/1 nodes are available: 1 Insufficient nvidia.com/gpu. ${noHelp(1)}`,
  },
  {
    what: 'anti-affinity to its like',
    nodes: [testNode('a')],
    pods: [testPod('x', { nodeName: 'a' }, { labels: { app: 'db' } })],
    pod: testPod(
      'p',
      {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
            ],
          },
        },
      },
      { labels: { app: 'db' } },
    ),
    says: "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    what: "another pod's anti-affinity",
    nodes: [testNode('a')],
    pods: [
      testPod('x', {
        nodeName: 'a',
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
            ],
          },
        },
      }),
    ],
    pod: testPod('p', {}, { labels: { app: 'web' } }),
    says: "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    what: 'affinity to a pod that is not there',
    nodes: [testNode('a')],
    pod: testPod('p', {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'cache' } } },
          ],
        },
      },
    }),
    says: `0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ${noHelp(1)}`,
  },
  {
    what: 'spread over a key that nodes do not have',
    nodes: [testNode('a')],
    pod: testPod(
      'p',
      {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
      },
      { labels: { app: 'web' } },
    ),
    says: `0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label). ${noHelp(1)}`,
  },
  {
    what: 'too few domains',
    nodes: [testNode('a')],
    pods: [testPod('x', { nodeName: 'a' }, { labels: { app: 'web' } })],
    pod: testPod(
      'p',
      {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            minDomains: 2,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
      },
      { labels: { app: 'web' } },
    ),
    says: "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    what: 'a claim that is not there',
    pod: withClaim('data'),
    says: `0/3 nodes are available: persistentvolumeclaim "data" not found. ${noHelp(3)}`,
  },
  {
    what: 'a claim that nobody has bound',
    pod: withClaim('data'),
    world: {
      claim: () => claim('data', { storageClassName: 'fast' }),
      storageClass: () => ({ provisioner: 'x', volumeBindingMode: 'Immediate' }),
    },
    says: `0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. ${noHelp(3)}`,
  },
  {
    what: 'a waiting claim without volumes or provisioner',
    pod: withClaim('data'),
    world: {
      claim: () => claim('data', { storageClassName: 'local' }),
      storageClass: () => ({
        provisioner: 'kubernetes.io/no-provisioner',
        volumeBindingMode: 'WaitForFirstConsumer',
      }),
    },
    says: `0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind. ${noHelp(3)}`,
  },
  {
    what: 'a volume elsewhere',
    nodes: [testNode('a')],
    pod: withClaim('data'),
    world: {
      claim: () => claim('data', { volumeName: 'pv' }, { 'pv.kubernetes.io/bind-completed': 'yes' }),
      volume: () => ({
        metadata: { name: 'pv' },
        spec: {
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['z'] }] },
              ],
            },
          },
        },
      }),
    },
    says: `0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity. ${noHelp(1)}`,
  },
  {
    what: 'preemption forbidden',
    nodes: [testNode('a', { allocatable: { pods: '1' } })],
    pods: [testPod('x', { nodeName: 'a' })],
    pod: testPod('p', { priority: 10, preemptionPolicy: 'Never' }),
    says: '0/1 nodes are available: 1 Too many pods. preemption: not eligible due to preemptionPolicy=Never.',
  },
  {
    what: 'gated',
    pod: testPod('p', { schedulingGates: [{ name: 'a' }, { name: 'b' }] }),
    says: 'waiting for scheduling gates: [a b]',
  },
  { what: 'room', nodes: [testNode('a')], pod: testPod('p'), says: 'would be assigned to a' },
];

describe('what kube-scheduler would say', () => {
  it.each(cases)('$what', ({ nodes, pods, pod, world, says }) => {
    const snapshot = snapshotOf({ nodes: nodes ?? three, pods: pods ?? [], ...(world && { world }) });
    expect(explain(snapshot, pod).message).toBe(says);
  });
});

describe('explain', () => {
  it('gives every plugin a say on every node, with what stands in the way', () => {
    const nodes = [
      testNode('a', {
        allocatable: { cpu: '1' },
        spec: { unschedulable: true, taints: [{ key: 'team', value: 'x', effect: 'NoSchedule' }] },
      }),
      testNode('b'),
    ];
    const answer = explain(snapshotOf({ nodes, pods: [] }), testPod('p', {}, { requests: { cpu: '2' } }));
    expect(answer.best).toEqual(['b']);
    expect(answer.nodes.map((it) => [it.node, it.fits])).toEqual([
      ['b', true],
      ['a', false],
    ]);
    const failed = answer.nodes[1]?.verdicts.filter((it) => !it.passed);
    expect(failed?.map((it) => [it.plugin, it.detail])).toEqual([
      ['NodeUnschedulable', 'the node is cordoned: kubectl uncordon a'],
      [
        'TaintToleration',
        'taint team=x:NoSchedule is not tolerated: add a toleration, or kubectl taint node a team=x:NoSchedule-',
      ],
      ['NodeResourcesFit', 'cpu: asks for 2, 1 of 1 is free'],
    ]);
    expect(answer.nodes[0]?.scores.map((it) => it.plugin)).toContain('NodeResourcesFit');
  });

  it('prefers the emptier node, and spreads pods of one service', () => {
    const nodes = [testNode('a'), testNode('b')];
    const pods = [testPod('x', { nodeName: 'a' }, { requests: { cpu: '2', memory: '4Gi' } })];
    const pod = testPod('p', {}, { requests: { cpu: '1', memory: '1Gi' } });
    expect(explain(snapshotOf({ nodes, pods }), pod).best).toEqual(['b']);
    const labels = { app: 'web' };
    const sibling = testPod('y', { nodeName: 'b' }, { labels });
    const world = { services: () => [{ spec: { selector: labels } }] };
    const next = testPod('z', {}, { labels });
    expect(explain(snapshotOf({ nodes, pods: [sibling], world }), next).best).toEqual(['a']);
  });

  it('names the victims of preemption: the least important that suffice', () => {
    const nodes = [testNode('a')];
    const filler = (name: string, priority: number, cpu: string): V1Pod =>
      testPod(name, { nodeName: 'a', priority }, { requests: { cpu } });
    const pods = [filler('low', 1, '1'), filler('mid', 5, '1'), filler('high', 50, '2')];
    const answer = explain(snapshotOf({ nodes, pods }), testPod('p', { priority: 10 }, { requests: { cpu: '1' } }));
    expect(answer.message).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    expect(answer.preemption).toEqual({ node: 'a', victims: ['default/low'] });
  });

  it('spares pods that a disruption budget protects', () => {
    const nodes = [testNode('a'), testNode('b')];
    const pods = [
      testPod('guarded', { nodeName: 'a', priority: 1 }, { requests: { cpu: '4' }, labels: { app: 'db' } }),
      testPod('free', { nodeName: 'b', priority: 5 }, { requests: { cpu: '4' }, labels: { app: 'web' } }),
    ];
    const world = {
      budgets: () => [
        {
          metadata: { name: 'db', namespace: 'default' },
          spec: { selector: { matchLabels: { app: 'db' } } },
          status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
        },
      ],
    };
    const answer = explain(
      snapshotOf({ nodes, pods, world }),
      testPod('p', { priority: 10 }, { requests: { cpu: '1' } }),
    );
    expect(answer.preemption).toEqual({ node: 'b', victims: ['default/free'] });
  });
});

describe('whatIf', () => {
  it('answers before and after a change of the pod or of a node', () => {
    const node = testNode('a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } });
    const pod = testPod('p');
    const untainted = whatIf({ nodes: [node], pods: [] }, pod, { nodes: [testNode('a')] });
    expect(untainted.before.best).toEqual([]);
    expect(untainted.after.best).toEqual(['a']);
    const tolerant = testPod('p', { tolerations: [{ key: 'k', operator: 'Exists' }] });
    expect(whatIf({ nodes: [node], pods: [] }, pod, { pod: tolerant }).after.best).toEqual(['a']);
  });

  it('asks about a running pod as if it did not run', () => {
    const pod = testPod('p', { nodeName: 'a' }, { requests: { cpu: '3' } });
    const answer = whatIf({ nodes: [testNode('a')], pods: [pod] }, pod, {});
    expect(answer.before.best).toEqual(['a']);
  });
});
