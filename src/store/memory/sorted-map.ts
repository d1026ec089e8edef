/** A map in key order, kept in blocks so that an insertion moves few items. */
export interface SortedMap<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  /** Entries with start <= key < end. Sees a frozen view of each block: the map may change meanwhile. */
  entries(start: K, end: K): Iterable<readonly [K, V]>;
  count(start: K, end: K): number;
}

const blockSize = 512;

interface Block<K, V> {
  keys: K[];
  values: V[];
}

export function sortedMap<K, V>(compare: (a: K, b: K) => number): SortedMap<K, V> {
  const blocks: Block<K, V>[] = [{ keys: [], values: [] }];

  /** The first index whose key is not below `key`. */
  const lowerBound = (keys: readonly K[], key: K): number => {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(keys[middle] as K, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  /** The last block whose first key is not above `key`. */
  const blockFor = (key: K): number => {
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const first = blocks[middle]?.keys[0];
      if (first !== undefined && compare(first, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const locate = (key: K): { block: Block<K, V>; at: number; found: boolean; number: number } => {
    const number = blockFor(key);
    const block = blocks[number] as Block<K, V>;
    const at = lowerBound(block.keys, key);
    const found = at < block.keys.length && compare(block.keys[at] as K, key) === 0;
    return { block, at, found, number };
  };
  return {
    get(key) {
      const { block, at, found } = locate(key);
      return found ? block.values[at] : undefined;
    },
    set(key, value) {
      const { block, at, found, number } = locate(key);
      if (found) {
        block.values[at] = value;
        return;
      }
      block.keys.splice(at, 0, key);
      block.values.splice(at, 0, value);
      if (block.keys.length > blockSize) {
        const half = block.keys.length >>> 1;
        blocks.splice(number + 1, 0, { keys: block.keys.splice(half), values: block.values.splice(half) });
      }
    },
    delete(key) {
      const { block, at, found, number } = locate(key);
      if (!found) return;
      block.keys.splice(at, 1);
      block.values.splice(at, 1);
      if (block.keys.length === 0 && blocks.length > 1) blocks.splice(number, 1);
    },
    *entries(start, end) {
      for (let number = blockFor(start); number < blocks.length; number++) {
        const block = blocks[number] as Block<K, V>;
        const from = lowerBound(block.keys, start);
        const to = lowerBound(block.keys, end);
        const keys = block.keys.slice(from, to);
        const values = block.values.slice(from, to);
        for (let i = 0; i < keys.length; i++) yield [keys[i] as K, values[i] as V];
        if (to < block.keys.length) return;
      }
    },
    count(start, end) {
      let total = 0;
      for (let number = blockFor(start); number < blocks.length; number++) {
        const { keys } = blocks[number] as Block<K, V>;
        const to = lowerBound(keys, end);
        total += to - lowerBound(keys, start);
        if (to < keys.length) break;
      }
      return total;
    },
  };
}
