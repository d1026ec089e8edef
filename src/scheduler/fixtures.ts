import type { V1Node, V1NodeSpec, V1Pod, V1PodSpec } from '../api/generated/types.ts';

/** Objects for this room's tests. */
export function testNode(
  name: string,
  options: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly spec?: V1NodeSpec;
  } = {},
): V1Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `node-${name}`, labels: { 'kubernetes.io/hostname': name, ...options.labels } },
    ...(options.spec && { spec: options.spec }),
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi', ...options.allocatable },
    },
  };
}

export function testPod(
  name: string,
  spec: Partial<V1PodSpec> = {},
  options: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly requests?: Readonly<Record<string, string>>;
    readonly namespace?: string;
  } = {},
): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: options.namespace ?? 'default',
      uid: `uid-${name}`,
      ...(options.labels && { labels: options.labels }),
    },
    spec: {
      containers: [
        { name: 'main', image: 'nginx:1.25', ...(options.requests && { resources: { requests: options.requests } }) },
      ],
      schedulerName: 'default-scheduler',
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}
