import { findJsonPath, JsonPathError, parseJsonPath, relaxedJsonPath } from '../../api/json-path.ts';
import { compareQuantity, tryParseQuantity } from '../../api/quantity.ts';
import { KubectlError } from './errors.ts';

/** Digits in texts count as numbers: `web-2` before `web-10`. */
const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'variant' });

function compare(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined)
    return Number(b === undefined) - Number(a === undefined) === 0 ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [tryParseQuantity(a), tryParseQuantity(b)];
  if (x && y) return compareQuantity(x, y);
  return natural.compare(String(a), String(b));
}

/** The objects in the order of the value at a path; those without it come first. Throws `KubectlError` for a bad path. */
export function sortObjects<T extends object>(items: readonly T[], path: string): readonly T[] {
  try {
    const parsed = parseJsonPath(relaxedJsonPath(path));
    const keyed = items.map((item) => ({ item, key: findJsonPath(parsed, item, { allowMissing: true })[0]?.[0] }));
    if (items.length > 0 && keyed.every(({ key }) => key === undefined))
      throw new KubectlError(`couldn't find any field with path "${relaxedJsonPath(path)}" in the list of objects`);
    return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item);
  } catch (error) {
    if (error instanceof JsonPathError) throw new KubectlError(error.message);
    throw error;
  }
}
