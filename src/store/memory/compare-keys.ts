import type { BackendKey } from '../mvcc/backend.ts';

const order = (a: string | number, b: string | number): number => {
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

/** Text in order of its UTF-16 units, which is that of its UTF-8 bytes as long as there are no surrogates; the store refuses those. */
export function compareKeys(a: BackendKey, b: BackendKey): number {
  if (typeof a !== 'object' && typeof b !== 'object') return order(a, b);
  const [a0, a1] = typeof a === 'object' ? a : [a, -1];
  const [b0, b1] = typeof b === 'object' ? b : [b, -1];
  return order(a0, b0) || order(a1, b1);
}
