import { describe, expect, it } from 'vitest';
import type { ObjectList } from '../../../api/resource.ts';
import { decodeProtobuf } from './decode.ts';
import { encodeProtobuf, encodeProtobufList, hasProtobuf, protobufFrame } from './encode.ts';
import { wireFields } from './reader.ts';

const meta = {
  name: 'naïve ☃',
  namespace: 'default',
  uid: 'u',
  generation: 3,
  creationTimestamp: '2026-01-02T03:04:05Z',
  labels: { b: '2', a: '1', 'x.io/empty': '' },
  annotations: { long: 'x'.repeat(5000) },
  managedFields: [
    {
      manager: 'm',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {} } },
    },
  ],
};

const objects: readonly { readonly kind: string; readonly apiVersion: string }[] = [
  { kind: 'Namespace', apiVersion: 'v1', ...{ metadata: meta } },
  {
    kind: 'Pod',
    apiVersion: 'v1',
    ...{
      metadata: meta,
      spec: {
        volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }], defaultMode: 420 } }],
        containers: [
          {
            name: 'c',
            image: 'i',
            args: ['', 'x'],
            env: [{ name: 'A' }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
            resources: { requests: { cpu: '100m', memory: '1Gi' } },
            livenessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 5 },
            readinessProbe: { tcpSocket: { port: 80 } },
          },
        ],
        terminationGracePeriodSeconds: 0,
        nodeSelector: { disk: 'ssd' },
        hostNetwork: true,
        tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }],
        priority: -2_000_000_000,
      },
      status: { phase: 'Running', startTime: '2026-01-02T03:04:05Z', podIPs: [{ ip: '10.0.0.1' }] },
    },
  },
  {
    kind: 'Secret',
    apiVersion: 'v1',
    ...{ metadata: { name: 's' }, data: { bin: '/wAA', empty: '' }, type: 'Opaque' },
  },
  {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    ...{ metadata: { name: 'l' }, spec: { leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.678901Z' } },
  },
  {
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    ...{ status: { authenticated: true, user: { username: 'u', extra: { a: ['1', '2'] } } } },
  },
  {
    kind: 'CustomResourceDefinition',
    apiVersion: 'apiextensions.k8s.io/v1',
    ...{
      metadata: { name: 'x.y.z' },
      spec: {
        group: 'y.z',
        names: { plural: 'x', kind: 'X' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  n: { type: 'integer', minimum: 0.5, default: 7, enum: [1, 'a', null] },
                  l: { type: 'array', items: { type: 'string', maxLength: 0 } },
                  m: { type: 'object', additionalProperties: { type: 'string' } },
                  free: { type: 'object', additionalProperties: true, 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
        ],
      },
    },
  },
  {
    kind: 'Status',
    apiVersion: 'v1',
    ...{ status: 'Failure', code: 404, details: { name: 'x', causes: [{ reason: 'r', field: 'f' }] } },
  },
];

describe('protobuf', () => {
  it.each(objects.map((it) => [it.kind, it] as const))('%s comes back as it was', (_, object) => {
    const bytes = encodeProtobuf(object);
    expect(bytes?.subarray(0, 4).toString('latin1')).toBe('k8s\0');
    expect(decodeProtobuf(bytes as Buffer)).toEqual(object);
  });

  it('is for built-in kinds alone, whatever a custom one is called', () => {
    expect(hasProtobuf('apps/v1', 'Deployment')).toBe(true);
    expect(hasProtobuf('apps.example.com/v1', 'Deployment')).toBe(false);
    expect(encodeProtobuf({ apiVersion: 'example.com/v1', kind: 'X' })).toBeUndefined();
  });

  it('puts lists together', () => {
    const items = ['a', 'b'].map((name) => ({ kind: 'Secret', apiVersion: 'v1', metadata: { name } }));
    const list = { kind: 'SecretList', apiVersion: 'v1', metadata: { resourceVersion: '7', continue: 'c' }, items };
    const decoded = decodeProtobuf(encodeProtobufList(list as unknown as ObjectList));
    expect(decoded).toEqual({
      ...list,
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    });
  });

  it('frames events by their length', () => {
    const frame = protobufFrame('ADDED', { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'a' } });
    expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
    const [type, object] = [...wireFields(frame.subarray(4))].map(({ value }) => value as Buffer);
    expect(type?.toString()).toBe('ADDED');
    const [raw] = [...wireFields(object as Buffer)];
    expect(decodeProtobuf(raw?.value as Buffer)).toMatchObject({ kind: 'Secret', metadata: { name: 'a' } });
  });
});
