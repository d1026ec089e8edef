import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../../base/freeze.ts';
import type { Draft } from '../draft.ts';
import type { V1ManagedFieldsEntry } from '../generated/types.ts';
import { builtinSchema } from '../schemas.ts';
import { StatusError } from '../status.ts';
import { type Applied, applyObject } from './apply-object.ts';
import { readFields, subtractSets, subtrees, unionSets, writeFields } from './field-set.ts';
import { capUpdaters, managerKey, readManagers, startingEntries } from './managers.ts';
import { trackUpdate } from './track.ts';

const schema = builtinSchema('io.k8s.api.apps.v1.Deployment');
const pod = builtinSchema('io.k8s.api.core.v1.Pod');
const apiVersion = 'apps/v1';
const t1 = '2026-01-01T00:00:00Z';
const t2 = '2026-01-02T00:00:00Z';

const deployment = (replicas: number | undefined, image = 'x', labels: Draft = { a: '1' }): Draft => ({
  apiVersion,
  kind: 'Deployment',
  metadata: { name: 'web', labels },
  spec: {
    ...(replicas !== undefined && { replicas }),
    template: { spec: { containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }] } },
  },
});
const create = (next: Draft, manager = 'kubectl-create'): Draft => {
  const managedFields = trackUpdate({ schema, next, managers: [], manager, apiVersion, now: t1 });
  return deepFreeze({ ...next, metadata: { ...(next['metadata'] as Draft), managedFields } });
};
const entries = (object: unknown): readonly V1ManagedFieldsEntry[] =>
  (object as { metadata: { managedFields: V1ManagedFieldsEntry[] } }).metadata.managedFields;
const update = (live: Draft, next: Draft, manager: string, now = t2): Draft => {
  const managedFields = trackUpdate({ schema, live, next, managers: entries(live), manager, apiVersion, now });
  return deepFreeze({ ...next, metadata: { ...(next['metadata'] as Draft), managedFields } });
};
const apply = (live: Draft | undefined, applied: Draft, manager = 'me', force = false, now = t2): Applied =>
  applyObject({ schema, live, applied: deepFreeze(applied), manager, force, apiVersion, now });
const refusal = (run: () => unknown): StatusError => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('was not refused');
};

describe('trackUpdate', () => {
  it('gives a creator what it set, without housekeeping', () => {
    const [entry, ...rest] = entries(create(deployment(1)));
    expect(rest).toEqual([]);
    expect(entry).toEqual({
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion,
      time: t1,
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': {
              'f:containers': {
                'k:{"name":"c"}': {
                  '.': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                },
              },
            },
          },
        },
      },
    });
  });

  it('hands over changed fields, drops removed ones, and keeps the time of who did nothing', () => {
    const live = create(deployment(1));
    const next = update(live, deployment(2, 'x', {}), 'scaler');
    expect(entries(next).map((entry) => [entry.manager, entry.time])).toEqual([
      ['kubectl-create', t1],
      ['scaler', t2],
    ]);
    expect(entries(next)[1]?.fieldsV1).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(entries(next)[0]?.fieldsV1).toHaveProperty('f:metadata', { 'f:labels': {} });
  });

  it('gives the same entries back when nothing tracked has changed', () => {
    const live = create(deployment(1));
    const next = { ...live, metadata: { ...(live['metadata'] as Draft), resourceVersion: '7' } };
    expect(trackUpdate({ schema, live, next, managers: entries(live), manager: 'm', apiVersion, now: t2 })).toBe(
      entries(live),
    );
  });

  it('lets nobody own what the endpoint resets, and keeps subresources apart', () => {
    const next = { ...deployment(1), status: { replicas: 1 } };
    const [entry] = trackUpdate({
      schema,
      next,
      managers: [],
      manager: 'm',
      apiVersion,
      now: t1,
      resetFields: subtrees(['spec', 'metadata']),
      subresource: 'status',
    });
    expect(entry).toMatchObject({ subresource: 'status', fieldsV1: { 'f:status': { 'f:replicas': {} } } });
    expect(entry?.fieldsV1).not.toHaveProperty('f:spec');
  });

  it('never keeps more than ten updaters', () => {
    let live = create(deployment(0), 'm0');
    for (let i = 1; i < 15; i++) {
      live = update(
        live,
        deployment(0, 'x', { ...(live['metadata'] as { labels: Draft }).labels, [`l${i}`]: '1' }),
        `m${i}`,
        `2026-01-01T00:00:${10 + i}Z`,
      );
    }
    const names = entries(live).map((entry) => entry.manager);
    expect(names).toHaveLength(10);
    expect(names).toContain('ancient-changes');
    expect(names).toContain('m14');
    expect(capUpdaters(readManagers(entries(live))).size).toBe(10);
  });

  it('starts from what is sent, or from nothing when told to forget', () => {
    const live = entries(create(deployment(1)));
    expect(startingEntries(live, undefined)).toBe(live);
    expect(startingEntries(live, [])).toEqual([]);
    expect(startingEntries(live, [{}])).toEqual([]);
    expect(startingEntries(live, [{ manager: 'x', operation: 'Spin' }])).toBe(live);
  });
});

describe('applyObject', () => {
  it('creates', () => {
    const { object, managedFields } = apply(undefined, deployment(1));
    expect(managedFields).toMatchObject([{ manager: 'me', operation: 'Apply', time: t2 }]);
    expect(managedFields[0]?.fieldsV1).toMatchObject({
      'f:metadata': { 'f:labels': { 'f:a': {} } },
      'f:spec': { 'f:replicas': {} },
    });
    expect(object['spec']).toEqual(deployment(1)['spec']);
  });

  it('refuses to change what another holds, and takes it when forced', () => {
    const live = create(deployment(1), 'kubectl-client-side-apply');
    const error = refusal(() => apply(live, deployment(2)));
    expect(error.status).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl-client-side-apply" using apps/v1',
            field: '.spec.replicas',
          },
        ],
      },
    });
    const { object, managedFields } = apply(live, deployment(2), 'me', true);
    expect(object['spec']).toMatchObject({ replicas: 2 });
    expect(managedFields.find((entry) => entry.operation === 'Update')?.fieldsV1).not.toHaveProperty(
      'f:spec.f:replicas',
    );
  });

  it('lists several conflicts by manager', () => {
    const live = create(deployment(1), 'a');
    expect(refusal(() => apply(live, deployment(2, 'y'))).message).toBe(
      'Apply failed with 2 conflicts: conflicts with "a" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="c"].image',
    );
  });

  it('shares a field that both set alike', () => {
    const live = create(deployment(1), 'a');
    const { managedFields, changed } = apply(live, deployment(1));
    expect(changed).toBe(false);
    expect(managedFields.map((entry) => entry.manager)).toEqual(['me', 'a']);
  });

  it('removes what it applied before and applies no more, unless another holds it', () => {
    const first = apply(undefined, deployment(1, 'x', { a: '1', b: '2' })).object;
    const live = update(first, { ...first, spec: { ...(first['spec'] as Draft), replicas: 1, paused: true } }, 'other');
    const shared = apply(live, { ...deployment(1, 'x', { b: '2' }) }, 'friend').object;
    const { object } = apply(shared, {
      apiVersion,
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { template: { spec: { containers: [{ name: 'd', image: 'z' }] } } },
    });
    expect(object['metadata']).toMatchObject({ labels: { b: '2' } });
    expect(object['spec']).toMatchObject({ replicas: 1, paused: true });
    expect(
      (object['spec'] as { template: { spec: { containers: Draft[] } } }).template.spec.containers.map(
        (c) => c['name'],
      ),
    ).toEqual(['c', 'd']);
    const alone = apply(apply(undefined, deployment(1)).object, {
      apiVersion,
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 3 },
    }).object;
    expect(alone['spec']).toEqual({ replicas: 3 });
    expect(alone['metadata']).not.toHaveProperty('labels');
  });

  it('keeps its time when it applies the same again', () => {
    const first = apply(undefined, deployment(1), 'me', false, t1);
    const second = apply(deepFreeze(first.object), deployment(1), 'me', false, t2);
    expect(second.changed).toBe(false);
    expect(second.managedFields).toEqual(first.managedFields);
  });

  it('gives untracked objects to before-first-apply', () => {
    const { managedFields } = apply(deepFreeze(deployment(1)), deployment(2), 'me', true);
    expect(managedFields.map((entry) => entry.manager)).toEqual(['me', 'before-first-apply']);
  });

  it('lets kubectl take over what its client-side apply had set', () => {
    const annotated = deployment(1);
    (annotated['metadata'] as Draft)['annotations'] = {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(deployment(1)),
    };
    const live = create(annotated, 'kubectl-client-side-apply');
    expect(apply(live, deployment(2), 'kubectl').object['spec']).toMatchObject({ replicas: 2 });
    expect(refusal(() => apply(live, deployment(2), 'other')).code).toBe(409);
  });

  it('replaces atomic lists and maps whole, merges sets', () => {
    const live = deepFreeze({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', finalizers: ['a'] },
      spec: { containers: [{ name: 'c', args: ['1'] }], nodeSelector: { a: '1' } },
    });
    const { object } = applyObject({
      schema: pod,
      live,
      manager: 'me',
      force: true,
      apiVersion: 'v1',
      now: t1,
      applied: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', finalizers: ['b'] },
        spec: { containers: [{ name: 'c', args: ['2'] }], nodeSelector: { b: '2' } },
      },
    });
    expect(object).toMatchObject({
      metadata: { finalizers: ['a', 'b'] },
      spec: { containers: [{ name: 'c', args: ['2'] }] },
    });
    expect((object['spec'] as Draft)['nodeSelector']).toEqual({ b: '2' });
  });

  it('refuses applied managedFields', () => {
    expect(refusal(() => apply(undefined, { metadata: { managedFields: [] } })).message).toBe(
      'metadata.managedFields must be nil',
    );
  });

  it('ends with every applied field in place, whatever was there before', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { minKeys: 1 });
    fc.assert(
      fc.property(labels, labels, labels, (before, mine, then) => {
        const live = create(deployment(1, 'x', before), 'other');
        const once = apply(live, { metadata: { labels: mine } }, 'me', true).object;
        const twice = apply(deepFreeze(once), { metadata: { labels: then } }, 'me', true).object;
        expect((twice['metadata'] as { labels: Draft }).labels).toMatchObject(then);
        for (const key of Object.keys((twice['metadata'] as { labels: Draft }).labels)) {
          expect(key in then || key in before).toBe(true);
        }
      }),
    );
  });
});

describe('field sets', () => {
  it('read what they write, and obey the laws of sets', () => {
    const tree = fc.letrec((tie) => ({
      node: fc.dictionary(
        fc.constantFrom('f:a', 'f:b', 'k:{"x":1}', 'v:"z"'),
        fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(tree, tree, (left, right) => {
        const a = readFields(left);
        const b = readFields(right);
        expect(writeFields(readFields(writeFields(a)))).toEqual(writeFields(a));
        expect(writeFields(unionSets(subtractSets(a, b), unionSets(a, b)))).toEqual(writeFields(unionSets(a, b)));
      }),
    );
  });
  it('tells managers apart as upstream does', () => {
    const manager = { name: 'm', apiVersion: 'v1', subresource: '' };
    expect(managerKey({ ...manager, operation: 'Apply' })).toBe(
      managerKey({ ...manager, operation: 'Apply', apiVersion: 'v2' }),
    );
    expect(managerKey({ ...manager, operation: 'Update' })).not.toBe(
      managerKey({ ...manager, operation: 'Update', apiVersion: 'v2' }),
    );
  });
});
