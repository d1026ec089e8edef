import { quantitiesEqual } from './quantities.ts';

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/**
 * Whether two JSON values mean the same to Kubernetes (apimachinery's Semantic.DeepEqual): a missing list, null, an
 * empty list and an empty text are one. Objects are compared by field, in any order.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => semanticEqual(item, b[i]));
  }
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) {
    const equal =
      quantityMaps.has(key) && typeof left[key] === 'object'
        ? equalQuantities(left[key], right[key])
        : semanticEqual(left[key], right[key]);
    if (!equal) return false;
  }
  for (const key in right) if (!(key in left) && !isEmpty(right[key])) return false;
  return true;
}

/** Fields that hold resource lists: `1000m` and `1` are the same amount there. */
const quantityMaps = new Set(['limits', 'requests', 'capacity', 'hard', 'used', 'allocatable', 'overhead', 'podFixed']);

function equalQuantities(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return semanticEqual(a, b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => quantitiesEqual(left[key], right[key]));
}
