import { compareQuantity, tryParseQuantity } from '../api/quantity.ts';

/** Whether two quantities as sent are the same amount: `1000m` and `1` are. */
export function quantitiesEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const left = tryParseQuantity(a);
  const right = tryParseQuantity(b);
  return left !== undefined && right !== undefined && compareQuantity(left, right) === 0;
}
