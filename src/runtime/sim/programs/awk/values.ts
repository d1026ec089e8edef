/** An awk value: a number, a string, or input text that counts as a number where it looks like one. */
export type Value = number | string | Strnum;

/** Text from input (fields, getline, -v): compared as a number when it looks like one. */
export class Strnum {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const numeric = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/;

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  const text = typeof value === 'string' ? value : value.text;
  const match = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(text);
  return match ? Number(match[0]) : 0;
}

export function toText(value: Value, format = '%.6g'): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return value.text;
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return String(value === 0 ? 0 : value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return sprintf(format, [value]);
}

export const looksNumeric = (value: Value | undefined): boolean =>
  value === undefined || typeof value === 'number' || (value instanceof Strnum && numeric.test(value.text));

export const isTrue = (value: Value): boolean =>
  typeof value === 'number'
    ? value !== 0
    : typeof value === 'string'
      ? value !== ''
      : numeric.test(value.text)
        ? Number(value.text) !== 0
        : value.text !== '';

/** printf(3) with awk's values. */
export function sprintf(format: string, args: readonly Value[]): string {
  let at = 0;
  const next = (): Value => args[at++] ?? '';
  return format.replace(
    /%(%|([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?[lh]*([diouxXcsfFeEgGa]))/g,
    (all, whole: string, flags: string, width: string | undefined, precision: string | undefined, kind: string) => {
      if (whole === '%') return '%';
      const wide = width === '*' ? toNumber(next()) : Number(width ?? 0);
      const dot = all.includes('.');
      const exact = precision === '*' ? toNumber(next()) : dot ? Number(precision ?? 0) : undefined;
      const value = next();
      let text = one(kind, value, exact, flags.includes('#'));
      const number = /[diouxXfFeEgG]/.test(kind);
      if (number && !text.startsWith('-'))
        text = `${flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''}${text}`;
      const size = Math.abs(wide);
      if (flags.includes('-') || wide < 0) return text.padEnd(size);
      if (flags.includes('0') && number && !(exact !== undefined && /[diouxX]/.test(kind))) {
        const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
        return sign + text.slice(sign.length).padStart(size - sign.length, '0');
      }
      return text.padStart(size);
    },
  );
}

/** Rounds ties to even, as C does where a number lies exactly between. */
function fixed(n: number, places: number): string {
  const scaled = Math.abs(n) * 10 ** places;
  if (places > 15 || !Number.isInteger(scaled * 2) || Number.isInteger(scaled)) return n.toFixed(places);
  const even = Math.floor(scaled) % 2 === 0 ? Math.floor(scaled) : Math.ceil(scaled);
  return `${n < 0 ? '-' : ''}${(even / 10 ** places).toFixed(places)}`;
}

function one(kind: string, value: Value, precision: number | undefined, alternate: boolean): string {
  const n = toNumber(value);
  switch (kind) {
    case 'd':
    case 'i':
    case 'u': {
      const digits = Math.abs(Math.trunc(n)).toFixed(0);
      return (Math.trunc(n) < 0 ? '-' : '') + digits.padStart(precision ?? 0, '0');
    }
    case 'o':
      return Math.trunc(n)
        .toString(8)
        .padStart(precision ?? 0, '0');
    case 'x':
    case 'X': {
      const hex = Math.trunc(n)
        .toString(16)
        .padStart(precision ?? 0, '0');
      const shown = alternate && n !== 0 ? `0x${hex}` : hex;
      return kind === 'X' ? shown.toUpperCase() : shown;
    }
    case 'c':
      return typeof value === 'number' ? String.fromCharCode(value) : toText(value).slice(0, 1);
    case 'f':
    case 'F':
      return fixed(n, precision ?? 6);
    case 'e':
    case 'E': {
      const text = n.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, 'e$10$2');
      return kind === 'E' ? text.toUpperCase() : text;
    }
    case 'g':
    case 'G': {
      const digits = precision === undefined ? 6 : Math.max(1, precision);
      if (n === 0) return '0';
      const exponent = Math.floor(Math.log10(Math.abs(Number(n.toPrecision(digits)))));
      const text =
        exponent < -4 || exponent >= digits
          ? n
              .toExponential(digits - 1)
              .replace(/\.?0+e/, 'e')
              .replace(/e([-+])(\d)$/, 'e$10$2')
          : n
              .toFixed(Math.max(0, digits - 1 - exponent))
              .replace(/(\.\d*?)0+$/, '$1')
              .replace(/\.$/, '');
      return kind === 'G' ? text.toUpperCase() : text;
    }
    default: {
      const text = toText(value);
      return precision === undefined ? text : text.slice(0, precision);
    }
  }
}
