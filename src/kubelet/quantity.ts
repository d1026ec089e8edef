import { milliValueOf, tryParseQuantity, wholeValueOf } from '../api/quantity.ts';

export type ResourceList = Readonly<Record<string, string>>;

/** Whole units, rounded up; 0 where absent or unreadable. */
export function wholeUnits(text: string | number | undefined): number {
  return tryParseQuantity(text) ? wholeValueOf(text) : 0;
}

/** Thousandths, rounded up; 0 where absent or unreadable. */
export function milliUnits(text: string | number | undefined): number {
  return tryParseQuantity(text) ? milliValueOf(text) : 0;
}

/** True when two lists name the same resources with equal amounts. */
export function sameResources(a: ResourceList | undefined, b: ResourceList | undefined): boolean {
  const left = Object.entries(a ?? {});
  return (
    left.length === Object.keys(b ?? {}).length &&
    left.every(([name, value]) => b?.[name] !== undefined && milliUnits(value) === milliUnits(b[name]))
  );
}

/** Bytes as a node reports them: `32780Ki`. */
export function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}
