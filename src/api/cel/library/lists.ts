import {
  type CelFunc,
  type CelInput,
  type CelList,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  celMethod,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel';

const { DYN, BOOL, INT, STRING } = CelScalar;
const list = listType(DYN);
type Ordered = bigint | number | string | boolean;

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b || (typeof a === 'object' && a !== null)) throw new Error('no such overload');
  const left = a as Ordered;
  const right = b as Ordered;
  return left < right ? -1 : Number(left > right);
}

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' && typeof b === 'number') return Number(a) === b;
  if (typeof a === 'number' && typeof b === 'bigint') return Number(b) === a;
  if (isCelList(a) && isCelList(b)) {
    const right = [...b];
    return a.size === b.size && [...a].every((item, index) => equal(item, right[index]));
  }
  if (isCelMap(a) && isCelMap(b)) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key)));
  }
  return false;
}

const reduce = (items: CelList, pick: (order: number) => boolean): CelValue => {
  const [first, ...rest] = items;
  if (first === undefined) throw new Error(`${pick(-1) ? 'min' : 'max'} called on empty list`);
  return rest.reduce((best, item) => (pick(compare(item, best)) ? item : best), first);
};

function sum(items: CelList): CelInput {
  const all = [...items];
  if (all.every((item) => typeof item === 'bigint'))
    return all.reduce((total: bigint, item) => total + (item as bigint), 0n);
  if (all.every((item) => typeof item === 'number'))
    return all.reduce((total: number, item) => total + (item as number), 0);
  throw new Error('no such overload');
}

const contains = (items: CelList, wanted: CelValue): boolean => [...items].some((item) => equal(item, wanted));
const every = (wanted: CelList, items: CelList): boolean => [...wanted].every((item) => contains(items, item));

/** Kubernetes' list functions, and cel-go's sets and lists extensions. */
export const listFunctions: readonly CelFunc[] = [
  celMethod('isSorted', list, [], BOOL, function () {
    const items = [...this];
    return items.every((item, index) => index === 0 || compare(items[index - 1], item) <= 0);
  }),
  celMethod('sum', list, [], DYN, function () {
    return sum(this);
  }),
  celMethod('min', list, [], DYN, function () {
    return reduce(this, (order) => order < 0);
  }),
  celMethod('max', list, [], DYN, function () {
    return reduce(this, (order) => order > 0);
  }),
  celMethod('indexOf', list, [DYN], INT, function (wanted) {
    return BigInt([...this].findIndex((item) => equal(item, wanted)));
  }),
  celMethod('lastIndexOf', list, [DYN], INT, function (wanted) {
    return BigInt([...this].findLastIndex((item) => equal(item, wanted)));
  }),
  celMethod('slice', list, [INT, INT], list, function (from, to) {
    if (from < 0n || to < from || to > BigInt(this.size))
      throw new Error(`cannot slice(${from}, ${to}), list is length ${this.size}`);
    return celList([...this].slice(Number(from), Number(to)));
  }),
  celMethod('reverse', list, [], list, function () {
    return celList([...this].reverse());
  }),
  celMethod('sort', list, [], list, function () {
    return celList([...this].sort(compare));
  }),
  celMethod('distinct', list, [], list, function () {
    const items = [...this];
    return celList(items.filter((item, index) => items.findIndex((other) => equal(other, item)) === index));
  }),
  celMethod('flatten', list, [], list, function () {
    return celList([...this].flatMap((item) => (isCelList(item) ? [...item] : [item])));
  }),
  celMethod('first', list, [], DYN, function () {
    const [item] = this;
    if (item === undefined) throw new Error('index out of bounds: 0');
    return item;
  }),
  celFunc('sets.contains', [list, list], BOOL, (a, b) => every(b, a)),
  celFunc('sets.equivalent', [list, list], BOOL, (a, b) => every(a, b) && every(b, a)),
  celFunc('sets.intersects', [list, list], BOOL, (a, b) => [...a].some((item) => contains(b, item))),
  celFunc('lists.range', [INT], list, (count) => {
    if (count > 100_000n) throw new Error('operation cancelled: actual cost limit exceeded');
    return celList(Array.from({ length: Number(count) }, (_, index) => BigInt(index)));
  }),
  celFunc('jsonpatch.escapeKey', [STRING], STRING, (key) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
];
