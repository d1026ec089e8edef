import { describe, expect, test } from 'vitest';
import type { V1Deployment } from '../../api/generated/types.ts';
import { jsonPatch } from '../../api/json-patch.ts';
import { editPodSpec } from '../remedy.ts';
import { healthyPod } from '../rules/example-pods.ts';
import { snapshotFromYaml } from '../snapshot/from-yaml.ts';
import { asNew } from './apply.ts';
import { yamlDiff } from './diff.ts';

const owned = snapshotFromYaml(`${healthyPod({ owner: 'ReplicaSet/web-1' })}
---
kind: ReplicaSet
owner: Deployment/web
metadata: {name: web-1}
---
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: side, image: x}, {name: app, image: "acme/shop:2"}]}}}
`);

describe('a repair', () => {
  test('changes the template of the outermost workload, at the container of that name', () => {
    const [pod] = owned.pods;
    const action = editPodSpec(
      owned,
      pod!,
      [
        { path: ['image'], value: 'acme/shop:1', was: 'acme/shop:2' },
        { path: ['resources', 'limits', 'memory'], value: '1Gi' },
      ],
      'app',
    );
    expect(action).toMatchObject({ kind: 'patch', target: { kind: 'Deployment', namespace: 'default', name: 'web' } });
    if (action?.kind !== 'patch') throw new Error('no patch');
    const after = jsonPatch(owned.find(action.target), action.operations) as V1Deployment;
    expect(after.spec?.template.spec?.containers[1]).toEqual({
      name: 'app',
      image: 'acme/shop:1',
      resources: { limits: { memory: '1Gi' } },
    });
  });

  test('is refused where something else stands there by now', () => {
    expect(editPodSpec(owned, owned.pods[0]!, [{ path: ['image'], value: 'b', was: 'a' }], 'app')).toBeUndefined();
  });

  test('of a bare pod replaces it, except for its image', () => {
    const bare = snapshotFromYaml(healthyPod());
    const edit = (path: readonly string[]) => editPodSpec(bare, bare.pods[0]!, [{ path, value: 'x' }], 'app');
    expect(edit(['image'])).not.toHaveProperty('replace');
    expect(edit(['imagePullPolicy'])).toHaveProperty('replace', true);
  });

  test('makes a pod anew without what the cluster filled in', () => {
    const [bare] = snapshotFromYaml(healthyPod()).pods;
    expect(asNew(bare!.pod)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default' },
      spec: { containers: [{ name: 'app', image: 'acme/shop:2' }] },
    });
  });
});

test('a diff shows what changes, with some lines around it', () => {
  const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 };
  expect(yamlDiff(before, before)).toBe('');
  expect(yamlDiff(before, { ...before, h: 9 })).toBe('  e: 5\n  f: 6\n  g: 7\n- h: 8\n+ h: 9');
});
