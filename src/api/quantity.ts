/**
 * Resource quantities, exact: a fixed-point number of nano units and the family of suffixes it was written in.
 * After k8s.io/apimachinery/pkg/api/resource (quantity.go, suffix.go, amount.go).
 */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent';

export interface Quantity {
  /** The amount times 10^9, exactly. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
  /** What the API writes: canonical, or as sent where upstream keeps that. */
  readonly text: string;
}

/** The text is no quantity. The message is upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";

const billion = 1_000_000_000n;
const maxInt64 = 2n ** 63n - 1n;
/** Longer texts and exponents say nothing that a cluster could have, and would cost time without bound. */
const longestText = 1024;
const largestExponent = 1000;

const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalByExponent = new Map(Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]));
const binaryByExponent = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function readSuffix(suffix: string): Suffix {
  const decimal = Object.hasOwn(decimalSuffixes, suffix) ? decimalSuffixes[suffix] : undefined;
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  const binary = Object.hasOwn(binarySuffixes, suffix) ? binarySuffixes[suffix] : undefined;
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' };
  if (!/^[eE][-+]?\d+$/.test(suffix)) throw new QuantityError(suffixWrong);
  const exponent = Number(suffix.slice(1));
  if (exponent > largestExponent) throw new QuantityError(suffixWrong);
  return { base: 10, exponent: Math.max(exponent, -largestExponent), format: 'DecimalExponent' };
}

const grammar = /^([+-]?)0*(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;

/** Divides, rounding away from zero. */
function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  if (quotient * by === value) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** Upstream keeps the text as sent where it takes its fast path and finds the number canonical by digits alone. */
function keepsText(num: string, denom: string, suffix: Suffix): boolean {
  if (suffix.base === 2) {
    const precision = 15 - num.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
    return denom === '' && precision >= 0 && (BigInt(num) & 7n) !== 0n;
  }
  const shifted = num + denom;
  const scale = suffix.exponent - denom.length;
  return shifted.length <= 18 && scale >= -9 && scale % 3 === 0 && !shifted.endsWith('000') && shifted[0] !== '0';
}

function parse(text: string): Quantity {
  if (text === '' || text.length > longestText) throw new QuantityError(formatWrong);
  const match = grammar.exec(text);
  if (!match) throw new QuantityError(formatWrong);
  const [, sign = '', digits = '', denom = '', suffixText = ''] = match;
  const num = digits === '' ? '0' : digits;
  const suffix = readSuffix(suffixText);
  const unscaled = BigInt(num + denom);
  const power = 9 - denom.length + (suffix.base === 10 ? suffix.exponent : 0);
  const factored = suffix.base === 2 ? unscaled << BigInt(suffix.exponent) : unscaled;
  let nano = power >= 0 ? factored * 10n ** BigInt(power) : divideUp(factored, 10n ** BigInt(-power));
  let format = suffix.format;
  if (format === 'BinarySI') {
    if (nano > maxInt64 * billion) nano = maxInt64 * billion;
    if (denom !== '' && nano > 0n && nano < billion) format = 'DecimalSI';
  }
  if (sign === '-') nano = -nano;
  return { nano, format, text: keepsText(num, denom, suffix) ? text : formatNano(nano, format) };
}

const cache = new Map<string, Quantity>();
const cacheLimit = 4096;

/** Parses a quantity as sent (`100m`, `1.5Gi`, `2`, 1e3). Throws `QuantityError`. Results are shared and cached. */
export function parseQuantity(input: string | number): Quantity {
  const text = typeof input === 'number' ? String(input) : input;
  const known = cache.get(text);
  if (known) return known;
  const quantity = Object.freeze(parse(text));
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(text, quantity);
  return quantity;
}

/** The quantity, or undefined where the input is none. */
export function tryParseQuantity(input: unknown): Quantity | undefined {
  if (typeof input !== 'string' && typeof input !== 'number') return undefined;
  try {
    return parseQuantity(input);
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

function formatDecimal(nano: bigint, format: QuantityFormat): string {
  let mantissa = nano;
  let exponent = -9;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent++;
  }
  const over = ((exponent % 3) + 3) % 3;
  mantissa *= 10n ** BigInt(over);
  exponent -= over;
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  if (exponent > 18) {
    mantissa *= 10n ** BigInt(exponent - 18);
    exponent = 18;
  }
  return `${mantissa}${decimalByExponent.get(exponent) ?? ''}`;
}

function formatNano(nano: bigint, format: QuantityFormat): string {
  if (nano === 0n) return '0';
  const small = nano > -1024n * billion && nano < 1024n * billion;
  if (format !== 'BinarySI') return formatDecimal(nano, format);
  if (small || nano % billion !== 0n) return formatDecimal(nano, 'DecimalSI');
  let mantissa = nano / billion;
  let step = 0;
  while (mantissa % 1024n === 0n && step < binaryByExponent.length - 1) {
    mantissa /= 1024n;
    step++;
  }
  return `${mantissa}${binaryByExponent[step] ?? ''}`;
}

const make = (nano: bigint, format: QuantityFormat): Quantity => ({ nano, format, text: formatNano(nano, format) });

/** A quantity of so many nano units, written in the given family. */
export const quantityOfNano = make;
/** A quantity of `value` whole units. */
export const quantityOf = (value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity =>
  make(BigInt(value) * billion, format);
/** A quantity of `milli` thousandths. */
export const quantityOfMilli = (milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity =>
  make(BigInt(milli) * 1_000_000n, format);

/** The canonical text. */
export const formatQuantity = (quantity: Quantity): string => quantity.text;

export function compareQuantity(a: Quantity, b: Quantity): -1 | 0 | 1 {
  if (a.nano === b.nano) return 0;
  return a.nano < b.nano ? -1 : 1;
}

/** The sum, in the family of `a`, or of `b` where `a` is zero. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  return make(a.nano + b.nano, a.nano === 0n ? b.format : a.format);
}

/** The difference, in the family of `a`, or of `b` where `a` is zero. */
export function subQuantity(a: Quantity, b: Quantity): Quantity {
  return make(a.nano - b.nano, a.nano === 0n ? b.format : a.format);
}

export const isZeroQuantity = (quantity: Quantity): boolean => quantity.nano === 0n;
export const signOfQuantity = (quantity: Quantity): -1 | 0 | 1 => {
  if (quantity.nano === 0n) return 0;
  return quantity.nano < 0n ? -1 : 1;
};

/** Whole units, rounded away from zero. Exact up to 2^53. */
export const quantityValue = (quantity: Quantity): number => Number(divideUp(quantity.nano, billion));
/** Thousandths, rounded away from zero. Exact up to 2^53. */
export const quantityMilliValue = (quantity: Quantity): number => Number(divideUp(quantity.nano, 1_000_000n));
/** The nearest number, for ratios. */
export const quantityNumber = (quantity: Quantity): number => Number(quantity.nano) / 1e9;

/** Whole units of a quantity as sent, rounded up; 0 where absent. Throws `QuantityError`. */
export const wholeValueOf = (input: string | number | undefined): number =>
  input === undefined ? 0 : quantityValue(parseQuantity(input));
/** Thousandths of a quantity as sent, rounded up; 0 where absent. Throws `QuantityError`. */
export const milliValueOf = (input: string | number | undefined): number =>
  input === undefined ? 0 : quantityMilliValue(parseQuantity(input));
