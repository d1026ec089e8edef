import { type FieldError, invalid } from '../api/field-error.ts';
import { percent } from '../api/names.ts';
import { invalids, nonNegative } from './checks.ts';

type IntOrString = number | string | undefined;

/** An integer that is not negative, or a percentage. */
export function validateIntOrPercent(value: IntOrString, path: string): FieldError[] {
  if (typeof value === 'string') return invalids(path, value, percent(value));
  return nonNegative(path, value);
}

/** The number, of a percentage the number before the sign; 0 for anything else. */
export function intOrPercentValue(value: IntOrString): number {
  if (typeof value === 'string') {
    const parsed = Number.parseInt(value, 10);
    return Number.isNaN(parsed) ? 0 : parsed;
  }
  return value ?? 0;
}

export function notAbove100Percent(value: IntOrString, path: string): FieldError[] {
  return typeof value === 'string' && percent(value).length === 0 && intOrPercentValue(value) > 100
    ? [invalid(path, value, 'must not be greater than 100%')]
    : [];
}
