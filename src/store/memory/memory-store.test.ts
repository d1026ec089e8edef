import { describe, expect, it } from 'vitest';
import { storeConformance } from '../conformance.ts';
import { leaseConformance } from '../lease-conformance.ts';
import { memoryStore } from './memory-store.ts';
import { sortedMap } from './sorted-map.ts';

const driver = { name: 'memory', open: async (clock: Parameters<typeof memoryStore>[0]) => memoryStore(clock) };
storeConformance(driver);
leaseConformance(driver);

describe('sortedMap', () => {
  it('agrees with a plain map under random changes', () => {
    const map = sortedMap<number, number>((a, b) => a - b);
    const plain = new Map<number, number>();
    let state = 7;
    const draw = (bound: number): number => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state % bound;
    };
    for (let i = 0; i < 20_000; i++) {
      const key = draw(3000);
      if (draw(3) === 0) {
        map.delete(key);
        plain.delete(key);
      } else {
        map.set(key, i);
        plain.set(key, i);
      }
    }
    const wanted = [...plain].sort(([a], [b]) => a - b).filter(([key]) => key >= 500 && key < 2500);
    expect([...map.entries(500, 2500)]).toEqual(wanted);
    expect(map.count(500, 2500)).toBe(wanted.length);
  });
});
