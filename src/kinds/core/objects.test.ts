import { describe, expect, it } from 'vitest';
import { showFieldError } from '../../api/field-error.ts';
import type { KubeObject } from '../../api/resource.ts';
import { seededRandom } from '../../base/random.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { horizontalPodAutoscalerKind } from '../autoscaling/horizontal-pod-autoscaler.ts';
import { fromV2, toV2 } from '../autoscaling/horizontal-pod-autoscaler-v1.ts';
import { cidrContains, isIpAddress } from '../checks.ts';
import { fromCoreEvent, toCoreEvent } from '../events/event.ts';
import { humanDuration } from '../human-duration.ts';
import type { Draft, KindDefinition } from '../kind.ts';
import { formatSelector } from '../labels.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../object-meta.ts';
import { roleBindingKind } from '../rbac/role-binding.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { configMapKind } from './config-map.ts';
import { eventKind } from './event.ts';
import { limitRangeKind } from './limit-range.ts';
import { namespaceKind } from './namespace.ts';
import { nodeKind } from './node.ts';
import { persistentVolumeClaimKind } from './persistent-volume-claim.ts';
import { resourceQuotaKind } from './resource-quota.ts';
import { secretKind } from './secret.ts';
import { serviceKind } from './service.ts';

const context = {
  clock: virtualClock(),
  random: seededRandom(1),
  user: { name: 'alice', groups: [] },
  warn: () => undefined,
};
type Fields = Record<string, unknown>;

function made(kind: KindDefinition, fields: Fields, metadata: Fields = {}): Draft {
  const namespace = kind.resource.namespaced ? { namespace: 'default' } : {};
  const object: Draft = {
    metadata: { name: 'web', uid: 'u', resourceVersion: '1', ...namespace, ...metadata },
    ...fields,
  };
  kind.defaults?.(object);
  kind.prepareForCreate?.(object, context);
  return object;
}
const created = (kind: KindDefinition, fields: Fields, metadata?: Fields): string[] =>
  (kind.validate?.(made(kind, fields, metadata) as KubeObject) ?? []).map(showFieldError);
function updated(kind: KindDefinition, before: Fields, after: Fields) {
  const old = made(kind, before);
  const next: Draft = { ...structuredClone(old), ...structuredClone(after) };
  kind.defaults?.(next);
  kind.prepareForUpdate?.(next, old as KubeObject, context);
  return { next, errors: (kind.validateUpdate?.(next as KubeObject, old as KubeObject) ?? []).map(showFieldError) };
}
const row = (kind: KindDefinition, object: Fields, now = 0): unknown[] =>
  kind.columns.filter((it) => it.priority === 0 && it.name !== 'Age').map((it) => it.cell(object as KubeObject, now));

describe('services', () => {
  const spec = { ports: [{ port: 80 }], selector: { app: 'web' } };
  it('get their defaults', () => {
    expect(made(serviceKind, { spec })['spec']).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    });
  });
  it.each<[string, Fields, string[]]>([
    ['sound', spec, []],
    ['without ports', {}, ['spec.ports: Required value']],
    [
      'two ports without names',
      { ports: [{ port: 1 }, { port: 2 }] },
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'a node port inside',
      { ports: [{ port: 1, nodePort: 30000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'an unknown type',
      { ...spec, type: 'Magic' },
      [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        'spec.internalTrafficPolicy: Required value',
      ],
    ],
    ['no external name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
  ])('%s', (_, given, expected) => {
    expect(created(serviceKind, { spec: given })).toEqual(expected);
  });
  it('keep what the server chose', () => {
    const before = {
      spec: {
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ports: [{ port: 80, nodePort: 30001 }],
      },
    };
    const { next, errors } = updated(serviceKind, before, { spec: { type: 'NodePort', ports: [{ port: 80 }] } });
    expect(errors).toEqual([]);
    expect(next['spec']).toMatchObject({
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ports: [{ nodePort: 30001 }],
    });
  });
  it('let go of what another type forbids', () => {
    const before = {
      spec: {
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ports: [{ port: 80, nodePort: 30001 }],
      },
    };
    const after = structuredClone(made(serviceKind, before)) as { spec: Fields };
    after.spec['type'] = 'ClusterIP';
    const { next, errors } = updated(serviceKind, before, after);
    expect(errors).toEqual([]);
    expect((next['spec'] as { ports: Fields[] }).ports[0]).not.toHaveProperty('nodePort');
  });
  it('may not move', () => {
    const before = { spec: { ...spec, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] } };
    const after = { spec: { ...spec, clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] } };
    expect(updated(serviceKind, before, after).errors).toEqual([
      'spec.clusterIPs[0]: Invalid value: "10.0.0.2": may not change once set',
    ]);
  });
  it.each<[Fields, Fields, string]>([
    [{ type: 'ClusterIP' }, {}, '<none>'],
    [{ type: 'LoadBalancer' }, {}, '<pending>'],
    [{ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } }, '1.2.3.4'],
    [{ type: 'ExternalName', externalName: 'a.b' }, {}, 'a.b'],
  ])('show %j as %s', (given, status, expected) => {
    expect(row(serviceKind, { metadata: { name: 'web' }, spec: given, status })[3]).toBe(expected);
  });
});

describe('configuration', () => {
  it('turns stringData into data', () => {
    expect(made(secretKind, { stringData: { a: 'x' }, data: { a: 'eQ==', b: 'eg==' } })).toMatchObject({
      type: 'Opaque',
      data: { a: 'eA==', b: 'eg==' },
    });
  });
  it('refuses changes to what is immutable', () => {
    const before = { immutable: true, data: { a: '1' } };
    expect(updated(configMapKind, before, { data: { a: '2' } }).errors).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
    expect(updated(secretKind, { type: 'a' }, { type: 'b' }).errors).toEqual([
      'type: Invalid value: "b": field is immutable',
    ]);
  });
  it('asks typed secrets for their keys', () => {
    expect(created(secretKind, { type: 'kubernetes.io/tls' })).toEqual([
      'data[tls.crt]: Required value',
      'data[tls.key]: Required value',
    ]);
  });
  it('has a limit', () => {
    expect(created(configMapKind, { data: { a: 'x'.repeat(1024 * 1024 + 1) } })).toHaveLength(1);
  });
});

describe('namespaces', () => {
  it('start active, labelled and finalized', () => {
    expect(made(namespaceKind, {})).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'web' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });
  it('lose finalizers through finalize alone', () => {
    expect(updated(namespaceKind, {}, { spec: { finalizers: [] } }).next['spec']).toEqual({
      finalizers: ['kubernetes'],
    });
    const old = made(namespaceKind, {});
    const next: Draft = { ...structuredClone(old), spec: { finalizers: [] } };
    namespaceKind.subresources?.['finalize']?.prepareForUpdate?.(next, old as KubeObject, context);
    expect(next['spec']).toEqual({ finalizers: [] });
  });
});

describe('nodes', () => {
  it('show status and roles', () => {
    const node = {
      metadata: {
        name: 'n1',
        labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' },
      },
      spec: { unschedulable: true },
      status: { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: 'v1.36.0' } },
    };
    expect(row(nodeKind, node)).toEqual(['n1', 'Ready,SchedulingDisabled', 'control-plane,worker', 'v1.36.0']);
  });
});

describe('claims', () => {
  const claim = (storage: string, more: Fields = {}) => ({
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more },
  });
  it('need a mode and a size', () => {
    expect(created(persistentVolumeClaimKind, {})).toEqual([
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ]);
  });
  it('are fixed but for what they ask once bound', () => {
    const [error] = updated(
      persistentVolumeClaimKind,
      claim('1Gi'),
      claim('1Gi', { storageClassName: 'x', volumeMode: 'Block' }),
    ).errors;
    expect(error).toContain(
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n',
    );
  });
});

describe('limits', () => {
  it('of a container fill each other', () => {
    const range = made(limitRangeKind, {
      spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] },
    });
    expect(range['spec']).toMatchObject({
      limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Mi' } }],
    });
  });
  it('must make sense', () => {
    expect(
      created(limitRangeKind, { spec: { limits: [{ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }] } }),
    ).toEqual(['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1']);
  });
  it('of quotas name known resources', () => {
    expect(
      created(resourceQuotaKind, { spec: { hard: { pods: '1', 'count/jobs.batch': '2', nonsense: '3' } } }),
    ).toEqual([
      'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource type or fully qualified',
      'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource for quota',
    ]);
    const status = { hard: { pods: '4', 'limits.cpu': '2' }, used: { pods: '1' } };
    expect(row(resourceQuotaKind, { metadata: { name: 'q' }, status })).toEqual(['q', 'pods: 1/4', 'limits.cpu: 0/2']);
  });
});

describe('bindings', () => {
  it('never change their role', () => {
    const roleRef = { kind: 'Role', name: 'a', apiGroup: 'rbac.authorization.k8s.io' };
    expect(updated(roleBindingKind, { roleRef }, { roleRef: { ...roleRef, name: 'b' } }).errors).toEqual([
      'roleRef: Invalid value: {"kind":"Role","name":"b","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ]);
  });
});

describe('events', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web.1', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
    type: 'Normal',
    reason: 'Pulled',
    message: 'ok\n',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:59:30Z',
    count: 3,
    source: { component: 'kubelet' },
  };
  it('show when they were last seen', () => {
    expect(row(eventKind, event, now)).toEqual(['30s', 'Normal', 'Pulled', 'pod/web', 'ok']);
  });
  it('are the same in both APIs', () => {
    const newer = fromCoreEvent(event);
    expect(newer).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      regarding: event.involvedObject,
      note: 'ok\n',
      deprecatedCount: 3,
    });
    expect(toCoreEvent(newer)).toEqual(event);
  });
});

describe('autoscalers', () => {
  it('travel between versions without loss', () => {
    const newer = made(horizontalPodAutoscalerKind, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        maxReplicas: 5,
        metrics: [
          { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    });
    const older = fromV2(newer);
    expect(older).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { targetCPUUtilizationPercentage: 50, maxReplicas: 5 },
    });
    expect((toV2(older)['spec'] as Fields)['metrics']).toEqual((newer['spec'] as Fields)['metrics']);
    expect(row(horizontalPodAutoscalerKind, newer)).toEqual([
      'web',
      'Deployment/web',
      'memory: <unknown>/1Gi, cpu: <unknown>/50%',
      '1',
      5,
      0,
    ]);
  });
});

describe('metadata', () => {
  const meta = { name: 'a', namespace: 'default', uid: 'u', resourceVersion: '1' };
  it('has sound labels, owners and finalizers', () => {
    const errors = validateObjectMeta(
      {
        ...meta,
        labels: { 'a b': 'x' },
        finalizers: ['orphan', 'foregroundDeletion'],
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: 'u' }],
      },
      true,
    ).map(showFieldError);
    expect(errors.map((it) => it.split(':')[0])).toEqual([
      'metadata.labels',
      'metadata.ownerReferences.name',
      'metadata.finalizers',
    ]);
  });
  it('keeps its annotations within their limit', () => {
    const errors = validateObjectMeta({ ...meta, annotations: { a: 'x'.repeat(262_144) } }, true).map(showFieldError);
    expect(errors).toEqual(['metadata.annotations: Too long: may not be more than 262144 bytes']);
  });
  it('does not change identity', () => {
    const errors = validateObjectMetaUpdate({ ...meta, uid: 'v', name: 'b' }, meta).map(showFieldError);
    expect(errors).toEqual([
      'metadata.name: Invalid value: "b": field is immutable',
      'metadata.uid: Invalid value: "v": field is immutable',
    ]);
  });
});

describe('helpers', () => {
  it.each<[number, string]>([
    [-5, '<invalid>'],
    [-1.5, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [185, '3m5s'],
    [599, '9m59s'],
    [600, '10m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 60, '3h1m'],
    [8 * 3600 + 60, '8h'],
    [49 * 3600, '2d1h'],
    [8 * 86_400, '8d'],
    [365 * 2 * 86_400, '2y'],
    [(365 * 2 + 3) * 86_400, '2y3d'],
    [365 * 9 * 86_400, '9y'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text);
  });

  it.each<[unknown, unknown, boolean]>([
    [{ a: [] }, {}, true],
    [{ a: null }, {}, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ requests: { cpu: '1000m' } }, { requests: { cpu: '1' } }, true],
    [[1, 2], [2, 1], false],
    [{ a: false }, {}, false],
  ])('%j and %j', (a, b, expected) => {
    expect(semanticEqual(a, b)).toBe(expected);
  });

  it('prints selectors', () => {
    expect(
      formatSelector({
        matchLabels: { b: '1' },
        matchExpressions: [
          { key: 'a', operator: 'In', values: ['y', 'x'] },
          { key: 'c', operator: 'DoesNotExist' },
        ],
      }),
    ).toBe('a in (x,y),b=1,!c');
  });

  it.each<[string, boolean]>([
    ['10.0.0.1', true],
    ['::1', true],
    ['fe80::1:2', true],
    ['::ffff:1.2.3.4', true],
    ['1.2.3', false],
    ['256.1.1.1', false],
    ['1::2::3', false],
    ['host', false],
  ])('%s', (text, expected) => {
    expect(isIpAddress(text)).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['10.0.0.0/8', '11.0.0.0/16', false],
    ['fd00::/8', 'fd00:1::/32', true],
  ])('%s holds %s', (outer, inner, expected) => {
    expect(cidrContains(outer, inner)).toBe(expected);
  });
});
