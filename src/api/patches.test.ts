import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../base/freeze.ts';
import type { Draft } from './draft.ts';
import { jsonPatch } from './json-patch.ts';
import { diffMergePatch, mergePatch } from './merge-patch.ts';
import { PatchError, patchStatus } from './patch-error.ts';
import { builtinSchema } from './schemas.ts';
import { strategicMerge } from './strategic-merge-patch.ts';

const record = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<Draft>;
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
};

describe('jsonPatch', () => {
  it.each([
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/-', value: 3 }], { a: [1, 2, 3] }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/0', value: 0 }], { a: [0, 1, 2] }],
    [{ a: [1, 2] }, [{ op: 'remove', path: '/a/-1' }], { a: [1] }],
    [{ 'a/b': 1 }, [{ op: 'replace', path: '/a~1b', value: 2 }], { 'a/b': 2 }],
    [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [{ a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
    [{ a: 1 }, [{ op: 'test', path: '/a', value: 1 }], { a: 1 }],
    [{ a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
  ])('%j %j', (document, patch, result) => {
    expect(jsonPatch(deepFreeze(document), patch)).toEqual(result);
  });

  it.each([
    [[{ op: 'remove', path: '/x' }]],
    [[{ op: 'replace', path: '/x', value: 1 }]],
    [[{ op: 'add', path: '/x/y', value: 1 }]],
    [[{ op: 'test', path: '/a', value: 2 }]],
    [[{ op: 'add', path: '/l/5', value: 2 }]],
    [[{ op: 'spin', path: '/a' }]],
    [[{ op: 'add', path: 'a', value: 1 }]],
    [[{ op: 'remove', path: '/constructor' }]],
    [[{ op: 'move', from: '/m', path: '/m/n/o' }]],
  ])('%j does not fit: 422 without more', (patch) => {
    try {
      jsonPatch({ a: 1, l: [1], m: { n: {} } }, patch);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PatchError);
      expect(patchStatus(error as PatchError).status).toMatchObject({
        code: 422,
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      });
    }
  });

  it('refuses what is no patch', () => {
    expect(() => jsonPatch({}, { a: 1 })).toThrow(
      'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    );
    expect(() => jsonPatch({}, Array(10_001).fill({ op: 'test', path: '/a', value: null }))).toThrow(
      'The allowed maximum operations in a JSON patch is 10000, got 10001',
    );
  });

  it('never changes its input', () => {
    fc.assert(
      fc.property(record, fc.jsonValue(), (document, value) => {
        const before = JSON.stringify(document);
        const out = jsonPatch(deepFreeze(document), [{ op: 'add', path: '/k', value }]) as Draft;
        expect(out['k']).toEqual(value);
        expect(JSON.stringify(document)).toBe(before);
      }),
    );
  });
});

describe('mergePatch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j', (document, patch, result) => {
    expect(mergePatch(document, patch)).toEqual(result);
  });
  it('applies the difference it finds', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const from = withoutNulls(a) as Draft;
        const to = withoutNulls(b) as Draft;
        expect(mergePatch(deepFreeze(from), diffMergePatch(from, to))).toEqual(to);
      }),
    );
  });
});

describe('strategicMerge', () => {
  const pod = builtinSchema('io.k8s.api.core.v1.Pod');
  const deployment = builtinSchema('io.k8s.api.apps.v1.Deployment');
  const spec = (containers: unknown, more: Draft = {}): Draft => deepFreeze({ spec: { containers, ...more } });
  const names = (object: Draft): unknown =>
    (object['spec'] as { containers: { name: string }[] }).containers.map((container) => container.name);

  it('merges containers by name', () => {
    const out = strategicMerge(
      pod,
      spec([
        { name: 'a', image: 'x', env: [{ name: 'E', value: '1' }] },
        { name: 'b', image: 'y' },
      ]),
      spec([{ name: 'a', image: 'z', env: [{ name: 'F', value: '2' }] }]),
    );
    expect(out).toEqual({
      spec: {
        containers: [
          {
            name: 'a',
            image: 'z',
            env: [
              { name: 'F', value: '2' },
              { name: 'E', value: '1' },
            ],
          },
          { name: 'b', image: 'y' },
        ],
      },
    });
  });

  it('deletes and replaces by directive', () => {
    const live = spec([{ name: 'a' }, { name: 'b' }]);
    expect(names(strategicMerge(pod, live, spec([{ name: 'a', $patch: 'delete' }])))).toEqual(['b']);
    expect(names(strategicMerge(pod, live, spec([{ $patch: 'replace' }, { name: 'c' }])))).toEqual(['c']);
    expect(
      strategicMerge(
        pod,
        { metadata: { labels: { a: '1' } } },
        { metadata: { labels: { $patch: 'replace', b: '2' } } },
      ),
    ).toEqual({
      metadata: { labels: { b: '2' } },
    });
    expect(
      strategicMerge(pod, { metadata: { labels: { a: '1' } } }, { metadata: { labels: { $patch: 'delete' } } }),
    ).toEqual({
      metadata: { labels: {} },
    });
    expect(() => strategicMerge(pod, live, spec([{ name: 'a', $patch: 'spin' }]))).toThrow(
      'unknown patch type: spin in map: map[$patch:spin name:a]',
    );
    expect(() => strategicMerge(pod, live, spec([{ image: 'x' }]))).toThrow(
      'map: map[image:x] does not contain declared merge key: name',
    );
  });

  it('drops nulls and directives from what is added whole', () => {
    expect(
      strategicMerge(
        pod,
        {},
        { metadata: { labels: { a: null, b: '1' } }, spec: { nodeSelector: { $patch: 'delete' } } },
      ),
    ).toEqual({ metadata: { labels: { b: '1' } }, spec: {} });
  });

  it('deletes from and orders primitive lists', () => {
    const live = { metadata: { finalizers: ['a', 'b', 'c'] } };
    expect(strategicMerge(pod, live, { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'] } })).toEqual({
      metadata: { finalizers: ['a', 'c'] },
    });
    expect(
      strategicMerge(pod, live, {
        metadata: { '$setElementOrder/finalizers': ['c', 'd', 'a'], finalizers: ['d'] },
      }),
    ).toEqual({ metadata: { finalizers: ['b', 'c', 'd', 'a'] } });
  });

  it('orders maps by $setElementOrder, server-only items after their neighbours', () => {
    const out = strategicMerge(
      pod,
      spec([{ name: 'a' }, { name: 'server' }, { name: 'b' }]),
      spec([{ name: 'new' }], { '$setElementOrder/containers': [{ name: 'b' }, { name: 'new' }, { name: 'a' }] }),
    );
    expect(names(out)).toEqual(['server', 'b', 'new', 'a']);
    expect(() =>
      strategicMerge(pod, spec([]), spec([{ name: 'x' }], { '$setElementOrder/containers': [{ name: 'y' }] })),
    ).toThrow(/^The order in patch list:\n\[map\[name:x\]\]\n doesn't match \$setElementOrder list:/);
  });

  it('keeps only retained keys', () => {
    expect(
      strategicMerge(
        deployment,
        { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
        { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      ),
    ).toEqual({ spec: { strategy: { type: 'Recreate' } } });
    expect(() =>
      strategicMerge(
        deployment,
        { spec: { strategy: { type: 'x' } } },
        { spec: { strategy: { $retainKeys: [], type: 'y' } } },
      ),
    ).toThrow('invalid patch format of retainKeys');
  });

  it('replaces lists without merge strategy', () => {
    expect(strategicMerge(pod, spec([{ name: 'a', args: ['1', '2'] }]), spec([{ name: 'a', args: ['3'] }]))).toEqual(
      spec([{ name: 'a', args: ['3'] }]),
    );
  });

  it('merges any two objects without changing them', () => {
    fc.assert(
      fc.property(record, record, (live, patch) => {
        try {
          strategicMerge(pod, deepFreeze({ metadata: { labels: live } }), deepFreeze({ metadata: { labels: patch } }));
        } catch (error) {
          expect(error).toBeInstanceOf(PatchError);
        }
      }),
    );
  });
});
