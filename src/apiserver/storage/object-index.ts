import type { Live } from '../../api/resource.ts';

interface Bucket {
  readonly byName: Map<string, Live>;
  /** In order of name; undefined until somebody lists. */
  sorted: Live[] | undefined;
}

/** The objects of one resource by namespace and name, listed in the order of their keys in the store. */
export interface ObjectIndex {
  get(namespace: string, name: string): Live | undefined;
  /** Returns what was there before. */
  set(namespace: string, name: string, object: Live): Live | undefined;
  remove(namespace: string, name: string): Live | undefined;
  /** Namespace undefined: all. Sorted; not to be changed, and only good until the next change. */
  list(namespace?: string): readonly Live[];
  readonly size: number;
  clear(): void;
}

const nameOf = (object: Live): string => object.metadata.name;

/** The first index whose name is not below `name`. */
function lowerBound(sorted: readonly Live[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const object = sorted[middle];
    if (object && nameOf(object) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

const byName = (a: Live, b: Live): number => (nameOf(a) < nameOf(b) ? -1 : 1);

export function objectIndex(): ObjectIndex {
  const buckets = new Map<string, Bucket>();
  /** Namespaces in the order of their keys: `a-b/` comes before `a/`. */
  let order: string[] | undefined;
  let size = 0;

  const listBucket = (bucket: Bucket): Live[] => {
    bucket.sorted ??= [...bucket.byName.values()].sort(byName);
    return bucket.sorted;
  };

  return {
    get: (namespace, name) => buckets.get(namespace)?.byName.get(name),
    set(namespace, name, object) {
      let bucket = buckets.get(namespace);
      if (!bucket) {
        bucket = { byName: new Map(), sorted: undefined };
        buckets.set(namespace, bucket);
        order = undefined;
      }
      const old = bucket.byName.get(name);
      bucket.byName.set(name, object);
      if (!old) size += 1;
      const { sorted } = bucket;
      if (sorted) {
        const at = lowerBound(sorted, name);
        if (old) sorted[at] = object;
        else if (at === sorted.length) sorted.push(object);
        else sorted.splice(at, 0, object);
      }
      return old;
    },
    remove(namespace, name) {
      const bucket = buckets.get(namespace);
      const old = bucket?.byName.get(name);
      if (!bucket || !old) return undefined;
      bucket.byName.delete(name);
      size -= 1;
      if (bucket.byName.size === 0) {
        buckets.delete(namespace);
        order = undefined;
      } else if (bucket.sorted) bucket.sorted.splice(lowerBound(bucket.sorted, name), 1);
      return old;
    },
    list(namespace) {
      if (namespace !== undefined) {
        const bucket = buckets.get(namespace);
        return bucket ? listBucket(bucket) : [];
      }
      if (buckets.size === 1) for (const bucket of buckets.values()) return listBucket(bucket);
      order ??= [...buckets.keys()].sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
      const all: Live[] = [];
      for (const name of order) {
        const bucket = buckets.get(name);
        if (bucket) for (const object of listBucket(bucket)) all.push(object);
      }
      return all;
    },
    get size() {
      return size;
    },
    clear() {
      buckets.clear();
      order = undefined;
      size = 0;
    },
  };
}
