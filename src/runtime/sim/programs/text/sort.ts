import { type Applet, Failure, type Options } from '../applet.ts';
import { allLines, eachInput } from '../input.ts';

interface Key {
  readonly from: number;
  readonly fromChar: number;
  readonly to: number | undefined;
  readonly toChar: number;
  readonly flags: string;
}

function readKey(text: string): Key {
  const match = /^(\d+)(?:\.(\d+))?([bdfghinrVM]*)(?:,(\d+)(?:\.(\d+))?([bdfghinrVM]*))?$/.exec(text);
  if (!match || match[1] === '0') throw new Failure(`bad field specification '${text}'`);
  return {
    from: Number(match[1]),
    fromChar: Number(match[2] ?? 1),
    to: match[4] === undefined ? undefined : Number(match[4]),
    toChar: Number(match[5] ?? 0),
    flags: (match[3] ?? '') + (match[6] ?? ''),
  };
}

/** The part of a line that a key means. */
function part(line: string, key: Key, separator: string | undefined): string {
  const fields = separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator);
  const glue = separator ?? '';
  const end = key.to ?? fields.length;
  const chosen = fields.slice(key.from - 1, end);
  if (key.toChar > 0 && key.to !== undefined && chosen.length > 0)
    chosen[chosen.length - 1] = (chosen.at(-1) ?? '').slice(0, key.toChar);
  return chosen.join(glue).slice(key.fromChar - 1);
}

const suffixes = 'KMGTPE';
const human = (text: string): number => {
  const match = /^\s*(-?[\d.]+)([KMGTPE])?/i.exec(text);
  if (!match) return 0;
  return Number(match[1]) * 1024 ** (suffixes.indexOf((match[2] ?? '').toUpperCase()) + (match[2] ? 1 : 0));
};
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

const byBytes = (a: string, b: string): number => {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return Buffer.compare(left, right);
};

function version(a: string, b: string): number {
  const split = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const left = split(a);
  const right = split(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const x = left[i] ?? '';
    const y = right[i] ?? '';
    const difference = /^\d+$/.test(x) && /^\d+$/.test(y) ? Number(x) - Number(y) : byBytes(x, y);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compare(a: string, b: string, flags: string): number {
  const clean = (text: string): string => {
    let out = flags.includes('b') ? text.trimStart() : text;
    if (flags.includes('d')) out = out.replace(/[^A-Za-z0-9\s]/g, '');
    if (flags.includes('i')) out = out.replace(/[^\x20-\x7e]/g, '');
    return flags.includes('f') ? out.toUpperCase() : out;
  };
  const x = clean(a);
  const y = clean(b);
  let result: number;
  if (flags.includes('n')) result = (Number.parseFloat(x) || 0) - (Number.parseFloat(y) || 0);
  else if (flags.includes('g')) result = (Number.parseFloat(x) || 0) - (Number.parseFloat(y) || 0);
  else if (flags.includes('h')) result = human(x) - human(y);
  else if (flags.includes('V')) result = version(x, y);
  else if (flags.includes('M'))
    result = months.indexOf(x.trim().slice(0, 3).toUpperCase()) - months.indexOf(y.trim().slice(0, 3).toUpperCase());
  else result = byBytes(x, y);
  return flags.includes('r') ? -result : result;
}

/** The order that sort's options ask for. */
function order(options: Options): { total: (a: string, b: string) => number; keyed: (a: string, b: string) => number } {
  const flags = [...'bdfghinrVM'].filter((letter) => options.has(letter)).join('');
  const separator = options.value('t');
  const keys = options.all('k').map(readKey);
  const keyed = (a: string, b: string): number => {
    if (keys.length === 0) return compare(a, b, flags);
    for (const key of keys) {
      const result = compare(part(a, key, separator), part(b, key, separator), key.flags === '' ? flags : key.flags);
      if (result !== 0) return result;
    }
    return 0;
  };
  const last = (a: string, b: string): number => (options.has('s') ? 0 : byBytes(a, b) * (options.has('r') ? -1 : 1));
  return { keyed, total: (a, b) => keyed(a, b) || last(a, b) };
}

/** sort [-nrufbdighVMcs] [-k KEY]… [-t SEP] [-o FILE] [FILE]… */
export async function sort(a: Applet): Promise<number> {
  const options = a.options('nrufbdighVMcszk:t:o:T:S:', {
    numeric: 'n',
    'numeric-sort': 'n',
    reverse: 'r',
    unique: 'u',
    key: 'k',
    'field-separator': 't',
    output: 'o',
    'human-numeric-sort': 'h',
    'version-sort': 'V',
    stable: 's',
    check: 'c',
  });
  const all: string[] = [];
  const status = await eachInput(a, options.rest, async (fd) => {
    for (const line of await allLines(a.p, fd)) all.push(line);
  });
  if (status !== 0) return a.flavour === 'busybox' ? 1 : 2;
  const { total, keyed } = order(options);
  if (options.has('c')) {
    for (let i = 1; i < all.length; i++) {
      const difference = total(all[i - 1] ?? '', all[i] ?? '');
      if (difference > 0 || (options.has('u') && difference === 0)) {
        await (a.flavour === 'busybox'
          ? a.p.complain(`Check line ${i}\n`)
          : a.warn(`${options.rest[0] ?? '-'}:${i + 1}: disorder: ${all[i] ?? ''}`));
        return 1;
      }
    }
    return 0;
  }
  const wait = a.p.work(all.length * 2);
  if (wait) await wait;
  const sorted = [...all].sort(options.has('u') ? keyed : total);
  const kept = options.has('u')
    ? sorted.filter((line, index) => index === 0 || keyed(sorted[index - 1] ?? '', line) !== 0)
    : sorted;
  const file = options.value('o');
  if (file !== undefined) a.p.install(a.p.openFile(file, { write: true, create: true, truncate: true }), 1);
  for (const line of kept) await a.out(`${line}\n`);
  return 0;
}
