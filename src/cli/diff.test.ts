import { describe, expect, it } from 'vitest';
import { fieldChanges, objectChanges } from './diff.ts';

const object = (name: string, uid: string, rest: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', uid, resourceVersion: `${Math.abs(name.charCodeAt(0))}` },
  ...rest,
});

describe('coracle diff', () => {
  it('finds the fields that differ, and leaves out what every write changes', () => {
    expect(
      fieldChanges(
        { metadata: { resourceVersion: '1', labels: { 'a/b': 'x' } }, list: [1, 2], same: true },
        { metadata: { resourceVersion: '2', labels: { 'a/b': 'y' } }, list: [1], same: true, more: {} },
      ),
    ).toEqual([
      { path: '.metadata.labels["a/b"]', from: 'x', to: 'y' },
      { path: '.list[1]', from: 2 },
      { path: '.more', to: {} },
    ]);
  });

  it('tells added, removed, changed and replaced objects', () => {
    const changes = objectChanges(
      'configmaps',
      [object('a', '1'), object('b', '2', { data: { k: '1' } }), object('c', '3'), object('d', '4')],
      [object('b', '2', { data: { k: '2' } }), object('c', '9'), object('d', '4'), object('e', '5')],
    );
    expect(changes.map(({ type, name }) => `${type} ${name}`)).toEqual([
      'removed a',
      'changed b',
      'removed c',
      'added c',
      'added e',
    ]);
  });
});
