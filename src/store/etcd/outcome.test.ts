import { describe, expect, it } from 'vitest';
import type { Entry, Operation } from '../store.ts';
import { findOutcome } from './outcome.ts';

const put: Operation = { type: 'put', key: '/a', value: Buffer.from('mine') };
const erase: Operation = { type: 'delete', key: '/a' };

/** A key's history as [revision, value]; undefined = deleted. */
const history = (...changes: readonly (readonly [number, string | undefined])[]) => ({
  async readAt(key: string, revision: number): Promise<Entry | undefined> {
    const [modRevision, value] = changes.findLast(([at]) => at <= revision) ?? [0, undefined];
    if (value === undefined) return undefined;
    return { key, value: Buffer.from(value), createRevision: 5, modRevision, version: 1, lease: '' };
  },
});

describe('the outcome of a write whose answer was lost', () => {
  it.each<[string, Operation, readonly (readonly [number, string | undefined])[], number]>([
    ['never arrived', put, [[5, 'old']], 0],
    [
      'was applied',
      put,
      [
        [5, 'old'],
        [9, 'mine'],
      ],
      9,
    ],
    [
      'was applied and overwritten',
      put,
      [
        [5, 'old'],
        [9, 'mine'],
        [12, 'other'],
        [14, 'more'],
      ],
      9,
    ],
    [
      'was applied and the key deleted',
      put,
      [
        [5, 'old'],
        [9, 'mine'],
        [12, undefined],
      ],
      9,
    ],
    [
      'lost against another',
      put,
      [
        [5, 'old'],
        [9, 'other'],
        [12, 'mine'],
      ],
      0,
    ],
    [
      'lost against a deletion',
      put,
      [
        [5, 'old'],
        [9, undefined],
      ],
      0,
    ],
    [
      'deleted',
      erase,
      [
        [5, 'old'],
        [9, undefined],
      ],
      9,
    ],
    [
      'deleted, and another made it again',
      erase,
      [
        [5, 'old'],
        [9, undefined],
        [10, 'new'],
      ],
      9,
    ],
    [
      'did not delete what another changed',
      erase,
      [
        [5, 'old'],
        [9, 'other'],
        [10, undefined],
      ],
      0,
    ],
  ])('%s', async (_title, operation, changes, revision) => {
    expect(await findOutcome(operation, 5, 40, history(...changes).readAt)).toBe(revision);
  });
});
