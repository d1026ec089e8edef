const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  e: '\x1b',
};

/** A byte that an escape spells, beyond ASCII: kept as a lone surrogate until it is written out. */
const byteOf = (code: number): string => String.fromCharCode(code > 127 ? 0xdc00 + (code & 255) : code);

/** Text as bytes, with those that escapes spelt as they are. */
export function outputBytes(text: string): string | Uint8Array {
  if (!/[\udc80-\udcff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ''))) return text;
  const parts = text.split(/((?<![\ud800-\udbff])[\udc80-\udcff])/).map((part) => {
    const code = part.charCodeAt(0);
    return part.length === 1 && code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code & 255]) : Buffer.from(part);
  });
  return Buffer.concat(parts);
}

/** Backslash escapes of echo -e and printf. `\c` ends the output: then `stop` is set. */
export function decodeEscapes(
  text: string,
  octal: 'echo' | 'printf' = 'echo',
): { readonly text: string; readonly stop: boolean } {
  let out = '';
  let stop = false;
  const pattern = octal === 'echo' ? /\\(0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|.)/gs : /\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)/gs;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    out += text.slice(last, match.index);
    last = match.index + match[0].length;
    const code = match[1] ?? '';
    if (code === 'c') {
      stop = true;
      last = text.length;
      break;
    }
    if (/^[0-7]/.test(code) && (octal === 'printf' || code.startsWith('0'))) out += byteOf(Number.parseInt(code, 8));
    else if (/^x./.test(code)) out += byteOf(Number.parseInt(code.slice(1), 16));
    else out += simple[code] ?? `\\${code}`;
  }
  return { text: out + text.slice(last), stop };
}

/** What echo prints. dash knows only -n and always reads escapes; busybox and bash read them after -e. */
export function echoText(args: readonly string[], dialect: 'ash' | 'dash' | 'bash'): string {
  let newline = true;
  let escapes = dialect === 'dash';
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (!(dialect === 'dash' ? word === '-n' : /^-[neE]+$/.test(word))) break;
    for (const letter of word.slice(1)) {
      if (letter === 'n') newline = false;
      else escapes = letter === 'e';
    }
  }
  const text = args.slice(at).join(' ');
  if (!escapes) return text + (newline ? '\n' : '');
  const { text: shown, stop } = decodeEscapes(text);
  return shown + (newline && !stop ? '\n' : '');
}

/** What printf prints; `errors` for standard error. */
export function printfText(args: readonly string[]): { readonly text: string; readonly errors: readonly string[] } {
  const [format = '', ...rest] = args;
  const errors: string[] = [];
  let text = '';
  let at = 0;
  do {
    const before = at;
    let stop = false;
    const next = (): string | undefined => rest[at++];
    const numeric = (value: string | undefined): number => {
      if (value === undefined || value === '') return 0;
      if (/^['"]/.test(value)) return value.codePointAt(1) ?? 0;
      const number = Number(/^-?0[0-7]+$/.test(value) ? Number.parseInt(value, 8) : value);
      if (Number.isNaN(number)) errors.push(`invalid number '${value}'`);
      return Number.isNaN(number) ? Number.parseInt(value, 10) || 0 : number;
    };
    const pattern = /%(%|([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+))?([diouxXcsbqfgeEG]))|\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)/gs;
    let last = 0;
    for (const match of format.matchAll(pattern)) {
      text += format.slice(last, match.index);
      last = match.index + match[0].length;
      if (match[0].startsWith('\\')) {
        const decoded = decodeEscapes(match[0], 'printf');
        text += decoded.text;
        stop ||= decoded.stop;
        if (stop) break;
        continue;
      }
      if (match[1] === '%') {
        text += '%';
        continue;
      }
      const flags = match[2] ?? '';
      const width = match[3] === '*' ? numeric(next()) : Number(match[3] ?? 0);
      const precision = match[4] === '*' ? numeric(next()) : match[4] === undefined ? undefined : Number(match[4]);
      const value = next();
      const shown = one(match[5] ?? 's', value, precision, numeric);
      const signed =
        flags.includes('+') && /[dif]/.test(match[5] ?? '') && !shown.startsWith('-') ? `+${shown}` : shown;
      if (flags.includes('-')) text += signed.padEnd(width);
      else if (flags.includes('0') && /[diouxXfgeEG]/.test(match[5] ?? ''))
        text += signed.startsWith('-') ? `-${signed.slice(1).padStart(width - 1, '0')}` : signed.padStart(width, '0');
      else text += signed.padStart(width);
    }
    if (!stop) text += format.slice(last);
    if (stop || at === before) break;
  } while (at < rest.length);
  return { text, errors };
}

function one(
  kind: string,
  value: string | undefined,
  precision: number | undefined,
  numeric: (value: string | undefined) => number,
): string {
  switch (kind) {
    case 'd':
    case 'i': {
      const digits = value !== undefined && /^-?\d{16,}$/.test(value) ? value : String(Math.trunc(numeric(value)));
      return precision === undefined ? digits : digits.padStart(precision, '0');
    }
    case 'u':
      return BigInt.asUintN(64, BigInt(Math.trunc(numeric(value)))).toString();
    case 'o':
      return numeric(value).toString(8);
    case 'x':
      return numeric(value)
        .toString(16)
        .padStart(precision ?? 0, '0');
    case 'X':
      return numeric(value)
        .toString(16)
        .toUpperCase()
        .padStart(precision ?? 0, '0');
    case 'c':
      return (value ?? '').slice(0, 1);
    case 'b':
      return decodeEscapes(value ?? '').text;
    case 'q':
      return `'${(value ?? '').replaceAll("'", "'\\''")}'`;
    case 'f':
      return numeric(value).toFixed(precision ?? 6);
    case 'e':
    case 'E':
      return numeric(value).toExponential(precision ?? 6);
    case 'g':
    case 'G':
      return String(Number(numeric(value).toPrecision(precision || 6)));
    default:
      return precision === undefined ? (value ?? '') : (value ?? '').slice(0, precision);
  }
}
