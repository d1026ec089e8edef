import { describe, expect, it } from 'vitest';
import { showFieldError } from '../../api/field-error.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import { seededRandom } from '../../base/random.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import type { Draft } from '../kind.ts';
import { podKind } from './pod.ts';
import { imageTag } from './pod-defaults.ts';
import { podLimits, podQosClass, podRequests } from './pod-resources.ts';

const context = {
  clock: virtualClock(),
  random: seededRandom(1),
  user: { name: 'alice', groups: [] },
  warn: () => undefined,
};

type Spec = Record<string, unknown>;
const container = (more: Spec = {}): Spec => ({ name: 'c', image: 'nginx:1.25', ...more });

/** A pod as it lies in the store after it was made from this spec. */
function made(spec: Spec, metadata: Spec = {}): Draft {
  const pod: Draft = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', resourceVersion: '1', uid: 'u', ...metadata },
    spec: { containers: [container()], ...spec },
  };
  podKind.defaults?.(pod);
  podKind.prepareForCreate?.(pod, context);
  return pod;
}
const errorsOf = (spec: Spec, metadata: Spec = {}): string[] =>
  (podKind.validate?.(made(spec, metadata) as KubeObject) ?? []).map(showFieldError);

describe('pod defaults', () => {
  it('fills in what every pod has', () => {
    expect(
      made({ containers: [container({ ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } } })] }),
    ).toMatchObject({
      spec: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        terminationGracePeriodSeconds: 30,
        securityContext: {},
        enableServiceLinks: true,
        containers: [
          {
            imagePullPolicy: 'IfNotPresent',
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            resources: {},
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            livenessProbe: {
              httpGet: { path: '/', port: 80, scheme: 'HTTP' },
              timeoutSeconds: 1,
              periodSeconds: 10,
              successThreshold: 1,
              failureThreshold: 3,
            },
          },
        ],
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
  });

  it.each([
    ['nginx', 'latest'],
    ['nginx:latest', 'latest'],
    ['nginx:1.25', '1.25'],
    ['registry:5000/nginx', 'latest'],
    ['registry:5000/team/nginx:v1', 'v1'],
    ['nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000', ''],
    ['Nginx/UPPER', ''],
    ['', ''],
  ])('the tag of %s is %s', (image, tag) => {
    expect(imageTag(image)).toBe(tag);
  });

  it('takes requests from limits and host ports from the host network', () => {
    const pod = made({
      hostNetwork: true,
      containers: [container({ ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1', memory: '1Gi' } } })],
    });
    expect(pod).toMatchObject({
      spec: { containers: [{ ports: [{ hostPort: 80 }], resources: { requests: { cpu: '1', memory: '1Gi' } } }] },
      status: { qosClass: 'Guaranteed' },
    });
  });

  it('gives volumes their modes, and one without a source an emptyDir', () => {
    const volumes = [{ name: 'a' }, { name: 'b', configMap: { name: 'x' } }, { name: 'c', hostPath: { path: '/x' } }];
    expect(made({ volumes })['spec']).toMatchObject({
      volumes: [{ emptyDir: {} }, { configMap: { defaultMode: 420 } }, { hostPath: { type: '' } }],
    });
  });
});

describe('pod validation', () => {
  it.each<[string, Spec, string[]]>([
    ['nothing wrong', {}, []],
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    ['no image', { containers: [{ name: 'c' }] }, ['spec.containers[0].image: Required value']],
    [
      'an unknown volume',
      { containers: [container({ volumeMounts: [{ name: 'data', mountPath: '/x' }] })] },
      ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
    ],
    [
      'a request above the limit',
      { containers: [container({ resources: { requests: { memory: '1Gi' }, limits: { memory: '512Mi' } } })] },
      [
        'spec.containers[0].resources.requests: Invalid value: "1Gi": must be less than or equal to memory limit of 512Mi',
      ],
    ],
    [
      'two handlers',
      { containers: [container({ livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } })] },
      ['spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
    ],
    [
      'a liveness probe that must succeed twice',
      { containers: [container({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } })] },
      ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'names that repeat',
      { containers: [container(), container()] },
      ['spec.containers[1].name: Duplicate value: "c"'],
    ],
    [
      'a value from two places',
      {
        containers: [
          container({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
        ],
      },
      ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ],
    [
      'a host port of its own in the host network',
      { hostNetwork: true, containers: [container({ ports: [{ containerPort: 80, hostPort: 81 }] })] },
      [
        'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    ],
    [
      'an unknown restart policy',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'a mount path twice',
      {
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          container({
            volumeMounts: [
              { name: 'v', mountPath: '/x' },
              { name: 'v', mountPath: '/x' },
            ],
          }),
        ],
      },
      ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique'],
    ],
    [
      'an extended resource without a limit',
      { containers: [container({ resources: { requests: { 'nvidia.com/gpu': '1' } } })] },
      ['spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources'],
    ],
    [
      'ephemeral containers',
      { ephemeralContainers: [{ name: 'd', image: 'busybox' }] },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
    [
      'seconds without an effect',
      { tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 3 }] },
      ['spec.tolerations[0].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set'],
    ],
    [
      'a probe on an init container that is no sidecar',
      { initContainers: [{ name: 'i', image: 'x', readinessProbe: { tcpSocket: { port: 1 } } }] },
      [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(errorsOf(spec)).toEqual(expected);
  });

  it('checks names in metadata', () => {
    expect(errorsOf({}, { name: 'Web_1' })[0]).toMatch(
      /^metadata.name: Invalid value: "Web_1": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'/,
    );
  });
});

describe('pod updates', () => {
  const update = (change: (spec: Spec) => void): string[] => {
    const old = made({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }] });
    const next = structuredClone(old);
    change(next['spec'] as Spec);
    podKind.prepareForUpdate?.(next, old as KubeObject, context);
    return (podKind.validateUpdate?.(next as KubeObject, old as KubeObject) ?? []).map(showFieldError);
  };

  it('let the image change, and count the generation', () => {
    const old = made({});
    const next = structuredClone(old);
    (next['spec'] as { containers: Spec[] }).containers[0]!['image'] = 'nginx:1.26';
    podKind.prepareForUpdate?.(next, old as KubeObject, context);
    expect(podKind.validateUpdate?.(next as KubeObject, old as KubeObject)).toEqual([]);
    expect((next['metadata'] as Spec)['generation']).toBe(2);
  });

  it('refuse other changes', () => {
    const errors = update((spec) => {
      spec['hostname'] = 'other';
    });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,`spec.initContainers\[\*\].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` \(only additions to existing tolerations\),`spec.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n/,
    );
    expect(errors[0]).toContain('+ "hostname": "other"');
  });

  it('let tolerations grow but not shrink', () => {
    expect(update((spec) => (spec['tolerations'] as Spec[]).push({ key: 'b', operator: 'Exists' }))).toEqual([]);
    expect(
      update((spec) => {
        spec['tolerations'] = [];
      }),
    ).toContain('spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds');
  });

  it('refuse containers that come or go', () => {
    expect(update((spec) => (spec['containers'] as Spec[]).push(container({ name: 'd' }))).at(-1)).toBeDefined();
  });

  it('keep the spec when the status is written', () => {
    const old = made({});
    const next = structuredClone(old);
    (next['spec'] as Spec)['nodeName'] = 'n1';
    next['status'] = { phase: 'Running' };
    podKind.subresources?.['status']?.prepareForUpdate?.(next, old as KubeObject, context);
    expect(next['spec']).toEqual(old['spec']);
    expect(next['status']).toEqual({ phase: 'Running', qosClass: 'BestEffort' });
  });

  it('take only ephemeral containers through their subresource', () => {
    const old = made({});
    const next = structuredClone(old);
    const spec = next['spec'] as Spec;
    spec['ephemeralContainers'] = [{ name: 'debug', image: 'busybox' }];
    spec['hostname'] = 'other';
    podKind.defaults?.(next);
    const { ephemeralcontainers } = podKind.subresources ?? {};
    ephemeralcontainers?.prepareForUpdate?.(next, old as KubeObject, context);
    expect((next['spec'] as Spec)['hostname']).toBeUndefined();
    expect(ephemeralcontainers?.validateUpdate?.(next as KubeObject, old as KubeObject)).toEqual([]);
    expect((next['metadata'] as Spec)['generation']).toBe(2);
  });

  it('resize cpu but not the image', () => {
    const old = made({ containers: [container({ resources: { requests: { cpu: '1' } } })] });
    const next = structuredClone(old);
    const sent = (next['spec'] as { containers: Spec[] }).containers[0]!;
    sent['image'] = 'other';
    sent['resources'] = { requests: { cpu: '2' } };
    const { resize } = podKind.subresources ?? {};
    resize?.prepareForUpdate?.(next, old as KubeObject, context);
    expect((next['spec'] as { containers: Spec[] }).containers[0]).toMatchObject({
      image: 'nginx:1.25',
      resources: { requests: { cpu: '2' } },
    });
    expect(resize?.validateUpdate?.(next as KubeObject, old as KubeObject)).toEqual([]);
  });
});

describe('grace', () => {
  it.each<[string, Spec, Spec, number | undefined, number]>([
    ['on no node', {}, { phase: 'Pending' }, 30, 0],
    ['of its own', { nodeName: 'n' }, { phase: 'Running' }, undefined, 30],
    ['as asked', { nodeName: 'n' }, { phase: 'Running' }, 5, 5],
    ['of a finished pod', { nodeName: 'n' }, { phase: 'Succeeded' }, 5, 0],
    ['below nought', { nodeName: 'n' }, { phase: 'Running' }, -1, 1],
  ])('%s', (_, spec, status, requested, expected) => {
    const pod = { ...made(spec), status };
    expect(podKind.gracePeriod?.(pod as KubeObject, requested)).toBe(expected);
  });
});

const texts = (amounts: Readonly<Record<string, { text: string }>>): Spec =>
  Object.fromEntries(Object.entries(amounts).map(([name, it]) => [name, it.text]));

describe('resource sums', () => {
  const asks = (cpu: string, more: Spec = {}): Spec => container({ resources: { requests: { cpu } }, ...more });
  it.each<[string, Spec, Spec]>([
    ['containers add up', { containers: [asks('1'), asks('500m')] }, { cpu: '1500m' }],
    ['the largest init step counts', { initContainers: [asks('3'), asks('2')], containers: [asks('1')] }, { cpu: '3' }],
    [
      'sidecars run beside what follows',
      { initContainers: [asks('1', { restartPolicy: 'Always' }), asks('3')], containers: [asks('1')] },
      { cpu: '4' },
    ],
    ['overhead comes on top', { containers: [asks('1')], overhead: { cpu: '250m' } }, { cpu: '1250m' }],
    ['the pod may speak for all', { containers: [asks('1')], resources: { requests: { cpu: '5' } } }, { cpu: '5' }],
  ])('%s', (_, spec, expected) => {
    expect(texts(podRequests({ spec } as unknown as V1Pod))).toEqual(expected);
  });

  it('sums limits alike', () => {
    const spec = { containers: [{ name: 'a', resources: { limits: { memory: '1Gi' } } }] };
    expect(texts(podLimits({ spec } as V1Pod))).toEqual({ memory: '1Gi' });
  });

  it.each<[string, Spec, string]>([
    ['nothing asked', {}, 'BestEffort'],
    ['something asked', { requests: { cpu: '1' } }, 'Burstable'],
    [
      'limits equal to requests',
      { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1Gi' } },
      'Guaranteed',
    ],
    ['one limit missing', { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1' } }, 'Burstable'],
  ])('%s is %s', (_, resources, expected) => {
    expect(podQosClass({ spec: { containers: [{ name: 'c', resources }] } } as V1Pod)).toBe(expected);
  });
});

describe('the row of kubectl get pods', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const row = (spec: Spec, status: Spec, metadata: Spec = {}): string => {
    const pod = { metadata: { name: 'web', ...metadata }, spec: { containers: [container()], ...spec }, status };
    return podKind.columns
      .slice(1, 4)
      .map((it) => it.cell(pod as KubeObject, now))
      .join(' ');
  };
  const ready = { type: 'Ready', status: 'True' };
  const ended = (exitCode: number, reason?: string): Spec => ({ terminated: { exitCode, reason } });
  it.each<[string, Spec, Spec, Spec]>([
    ['0/1 Pending 0', {}, { phase: 'Pending' }, {}],
    [
      '1/1 Running 0',
      {},
      { phase: 'Running', containerStatuses: [{ name: 'c', ready: true, state: { running: {} } }] },
      {},
    ],
    [
      '0/1 CrashLoopBackOff 5 (3m ago)',
      {},
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'c',
            restartCount: 5,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { finishedAt: '2026-01-01T00:57:00Z' } },
          },
        ],
      },
      {},
    ],
    [
      '0/1 Completed 0',
      {},
      { phase: 'Succeeded', containerStatuses: [{ name: 'c', state: ended(0, 'Completed') }] },
      {},
    ],
    ['0/1 ExitCode:3 0', {}, { phase: 'Failed', containerStatuses: [{ name: 'c', state: ended(3) }] }, {}],
    [
      '0/1 OOMKilled 0',
      {},
      { phase: 'Failed', containerStatuses: [{ name: 'c', state: ended(137, 'OOMKilled') }] },
      {},
    ],
    [
      '0/1 Init:0/1 0',
      { initContainers: [{ name: 'i' }] },
      { phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { running: {} } }] },
      {},
    ],
    [
      '0/1 Init:Error 2',
      { initContainers: [{ name: 'i' }] },
      { phase: 'Pending', initContainerStatuses: [{ name: 'i', restartCount: 2, state: ended(1, 'Error') }] },
      {},
    ],
    [
      '0/1 PodInitializing 0',
      { initContainers: [{ name: 'i' }] },
      {
        phase: 'Pending',
        initContainerStatuses: [{ name: 'i', state: ended(0) }],
        containerStatuses: [{ name: 'c', state: { waiting: { reason: 'PodInitializing' } } }],
      },
      {},
    ],
    [
      '2/2 Running 1',
      { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      {
        phase: 'Running',
        conditions: [ready],
        initContainerStatuses: [{ name: 's', started: true, ready: true, restartCount: 1, state: { running: {} } }],
        containerStatuses: [{ name: 'c', ready: true, state: { running: {} } }],
      },
      {},
    ],
    ['0/1 Terminating 0', {}, { phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }],
    ['0/1 Unknown 0', {}, { phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }],
    ['0/1 Evicted 0', {}, { phase: 'Failed', reason: 'Evicted' }, {}],
    [
      '0/1 SchedulingGated 0',
      {},
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      {},
    ],
  ])('%s', (expected, spec, status, metadata) => {
    expect(row(spec, status, metadata)).toBe(expected);
  });
});

describe('warnings', () => {
  it('name what a port or a variable hides', () => {
    const spec = {
      nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
      containers: [
        container({
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
          ports: [{ name: 'web', containerPort: 80 }],
        }),
        container({ name: 'd', ports: [{ name: 'web', containerPort: 80 }] }),
      ],
    };
    expect(podKind.warnings?.(made(spec) as KubeObject, undefined)).toEqual([
      'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
      'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ]);
  });
});
