import { describe, expect, it } from 'vitest';
import { isLinearizable, type RegisterOperation } from './linearizability.ts';

const read = (start: number, end: number, value?: string): RegisterOperation => ({
  start,
  end,
  action: { type: 'read', value },
});
const swap = (start: number, end: number, from: string | undefined, to: string, done?: boolean): RegisterOperation => ({
  start,
  end,
  action: { type: 'swap', from, to, done },
});
const never = Number.POSITIVE_INFINITY;

describe('isLinearizable', () => {
  it.each<[string, boolean, readonly RegisterOperation[]]>([
    ['one after the other', true, [swap(0, 1, undefined, 'a', true), read(2, 3, 'a')]],
    ['a stale read', false, [swap(0, 1, undefined, 'a', true), swap(2, 3, 'a', 'b', true), read(4, 5, 'a')]],
    ['a read beside a write, either way', true, [swap(0, 5, undefined, 'a', true), read(1, 2), read(3, 4, 'a')]],
    ['reads that go back', false, [swap(0, 9, undefined, 'a', true), read(1, 2, 'a'), read(3, 4)]],
    ['two winners of one swap', false, [swap(0, 5, undefined, 'a', true), swap(0, 5, undefined, 'b', true)]],
    ['a lost write', false, [swap(0, 1, undefined, 'a', true), read(2, 3)]],
    ['a write without an answer, seen', true, [swap(0, never, undefined, 'a'), read(5, 6, 'a')]],
    ['a write without an answer, never seen', true, [swap(0, never, undefined, 'a'), read(5, 6)]],
    ['refused though it held', false, [swap(0, 1, undefined, 'a', false)]],
    [
      'a write that was done twice',
      false,
      [swap(0, 1, undefined, 'a', true), swap(2, 3, 'a', 'b', true), read(4, 5, 'b'), read(6, 7, 'a')],
    ],
  ])('%s: %s', (_title, verdict, operations) => {
    expect(isLinearizable(operations)).toBe(verdict);
  });
});
