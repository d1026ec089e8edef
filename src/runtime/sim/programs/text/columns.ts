import { type Applet, Failure } from '../applet.ts';
import { allLines, eachInput, lines } from '../input.ts';

/** `1,3-5,7-` as ranges that start at one. */
function ranges(text: string): readonly (readonly [number, number])[] {
  return text.split(',').map((part) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!match || part === '' || part === '-') throw new Failure(`invalid range '${part}'`);
    const from = Number(match[1] || 1);
    const to = match[2] ? Number(match[3] || Number.MAX_SAFE_INTEGER) : from;
    return [from, to] as const;
  });
}

/** cut -b|-c|-f LIST [-d D] [-s] [FILE]… */
export async function cut(a: Applet): Promise<number> {
  const options = a.options('b:c:f:d:snO:', {
    delimiter: 'd',
    fields: 'f',
    characters: 'c',
    'output-delimiter': 'O',
    'only-delimited': 's',
  });
  const list = options.value('f') ?? options.value('c') ?? options.value('b');
  if (list === undefined) throw new Failure('expected a list of bytes, characters, or fields');
  const wanted = ranges(list);
  const has = (at: number): boolean => wanted.some(([from, to]) => at >= from && at <= to);
  const delimiter = options.value('d') ?? '\t';
  const glue = options.value('O') ?? delimiter;
  return eachInput(a, options.rest, async (fd) => {
    for await (const { text } of lines(a.p, fd)) {
      if (!options.has('f')) {
        await a.out(`${[...text].filter((_, index) => has(index + 1)).join('')}\n`);
        continue;
      }
      const fields = text.split(delimiter);
      if (fields.length === 1) {
        if (!options.has('s')) await a.out(`${text}\n`);
        continue;
      }
      await a.out(`${fields.filter((_, index) => has(index + 1)).join(glue)}\n`);
    }
  });
}

/** wc [-lwcm] [FILE]… */
export async function wc(a: Applet): Promise<number> {
  const options = a.options('lwcmL', { lines: 'l', words: 'w', bytes: 'c', chars: 'm' });
  const letters = [...'lwmcL'].filter((letter) => options.has(letter));
  const shown = letters.length > 0 ? letters : ['l', 'w', 'c'];
  const totals: Record<string, number> = {};
  const rows: { counts: Record<string, number>; name: string }[] = [];
  const status = await eachInput(a, options.rest, async (fd, name) => {
    const counts = { l: 0, w: 0, c: 0, m: 0, L: 0 };
    let inWord = false;
    let width = 0;
    for (let part = await a.p.read(fd); part !== null; part = await a.p.read(fd)) {
      counts.c += part.length;
      for (const byte of part) {
        if (byte === 10) counts.l++;
        const space = byte === 32 || (byte >= 9 && byte <= 13);
        if (!space && !inWord) counts.w++;
        inWord = !space;
        if ((byte & 0xc0) !== 0x80) counts.m++;
        width = byte === 10 ? 0 : width + 1;
        counts.L = Math.max(counts.L, width);
      }
    }
    for (const letter of shown) totals[letter] = (totals[letter] ?? 0) + counts[letter as 'l'];
    rows.push({ counts, name });
  });
  if (rows.length > 1) rows.push({ counts: totals, name: 'total' });
  // Busybox aligns in nine columns unless there is one number alone; GNU as wide as the largest needs.
  const gnuWidth =
    rows.length === 1 && options.rest.length === 0 ? 7 : String(Math.max(0, ...Object.values(totals))).length;
  for (const { counts, name } of rows) {
    const label = name === '-' && options.rest.length === 0 ? '' : ` ${name}`;
    const numbers = shown.map((letter) => String(counts[letter] ?? 0));
    const text =
      numbers.length === 1 && (rows.length === 1 || a.flavour === 'gnu')
        ? numbers.join('').padStart(a.flavour === 'gnu' && rows.length > 1 ? gnuWidth : 0)
        : a.flavour === 'busybox'
          ? numbers.map((n) => n.padStart(9)).join(' ')
          : numbers.map((n) => n.padStart(gnuWidth)).join(' ');
    await a.out(`${text}${label}\n`);
  }
  return status;
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};
/** Whether an ASCII code belongs to a class. */
const classChars: Readonly<Record<string, (char: string, code: number) => boolean>> = {
  alpha: (char) => /[A-Za-z]/.test(char),
  digit: (char) => /\d/.test(char),
  alnum: (char) => /[A-Za-z0-9]/.test(char),
  upper: (char) => /[A-Z]/.test(char),
  lower: (char) => /[a-z]/.test(char),
  space: (char) => /\s/.test(char),
  blank: (char) => /[ \t]/.test(char),
  punct: (char) => /[!-/:-@[-`{-~]/.test(char),
  xdigit: (char) => /[0-9A-Fa-f]/.test(char),
  cntrl: (_, code) => code < 32 || code === 127,
  print: (_, code) => code >= 32 && code < 127,
  graph: (_, code) => code > 32 && code < 127,
};

function trSet(text: string): string[] {
  const out: string[] = [];
  const chars = [...text];
  const take = (at: number): [string, number] => {
    if (chars[at] !== '\\' || at + 1 >= chars.length) return [chars[at] ?? '', at + 1];
    const octal = /^[0-7]{1,3}/.exec(chars.slice(at + 1).join(''));
    if (octal) return [String.fromCharCode(Number.parseInt(octal[0], 8)), at + 1 + octal[0].length];
    const next = chars[at + 1] ?? '';
    return [escapes[next] ?? next, at + 2];
  };
  for (let i = 0; i < chars.length; ) {
    const named = /^\[:(\w+):\]/.exec(chars.slice(i).join(''));
    const test = named && classChars[named[1] ?? ''];
    if (named && test) {
      for (let code = 0; code < 128; code++)
        if (test(String.fromCharCode(code), code)) out.push(String.fromCharCode(code));
      i += named[0].length;
      continue;
    }
    const [from, next] = take(i);
    if (chars[next] === '-' && next + 1 < chars.length) {
      const [to, after] = take(next + 1);
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) out.push(String.fromCharCode(code));
      i = after;
    } else {
      out.push(from);
      i = next;
    }
  }
  return out;
}

/** tr [-cds] SET1 [SET2] */
export async function tr(a: Applet): Promise<number> {
  const options = a.options('+cCdst');
  const [first, second] = options.rest;
  if (first === undefined || (second === undefined && !options.has('d') && !options.has('s')))
    throw new Failure('missing operand');
  const complement = options.has('c') || options.has('C');
  const set = trSet(first);
  const inSet = new Set(set);
  const member = (char: string): boolean => inSet.has(char) !== complement;
  const to = second === undefined ? undefined : trSet(second);
  const map = new Map(
    to && !complement ? set.map((char, index) => [char, to[Math.min(index, to.length - 1)] ?? char]) : [],
  );
  const translate = to !== undefined && !options.has('d');
  const squeeze = options.has('s') ? (to ? new Set(to) : undefined) : null;
  let last = '';
  const decoder = new TextDecoder();
  for (let part = await a.p.read(0); part !== null; part = await a.p.read(0)) {
    let out = '';
    for (const char of decoder.decode(part, { stream: true })) {
      if (options.has('d') && member(char)) continue;
      const mapped = translate && member(char) ? (complement ? (to?.at(-1) ?? char) : (map.get(char) ?? char)) : char;
      const squeezes = squeeze !== null && (squeeze ? squeeze.has(mapped) : member(mapped));
      if (squeezes && mapped === last) continue;
      last = mapped;
      out += mapped;
    }
    await a.p.write(1, out);
  }
  return 0;
}

/** uniq [-cdui] [-f N] [-s N] [INPUT [OUTPUT]] */
export async function uniq(a: Applet): Promise<number> {
  const options = a.options('cduif:s:w:');
  const [input, output] = options.rest;
  const fields = a.number(options.value('f') ?? '0');
  const chars = a.number(options.value('s') ?? '0');
  const key = (text: string): string => {
    const rest = text.replace(new RegExp(`^(?:\\s*\\S+){0,${fields}}`), '').slice(chars);
    const part = options.has('w') ? rest.slice(0, a.number(options.value('w') ?? '')) : rest;
    return options.has('i') ? part.toLowerCase() : part;
  };
  if (output !== undefined && output !== '-')
    a.p.install(a.p.openFile(output, { write: true, create: true, truncate: true }), 1);
  let held: string | undefined;
  let count = 0;
  const flush = async (): Promise<void> => {
    if (held === undefined || (options.has('d') && count < 2) || (options.has('u') && count > 1)) return;
    await a.out(`${options.has('c') ? `${String(count).padStart(7)} ` : ''}${held}\n`);
  };
  const status = await eachInput(a, input === undefined ? [] : [input], async (fd) => {
    for await (const { text } of lines(a.p, fd)) {
      if (held !== undefined && key(held) === key(text)) {
        count++;
        continue;
      }
      await flush();
      held = text;
      count = 1;
    }
  });
  await flush();
  return status;
}

/** paste [-s] [-d LIST] [FILE]… */
export async function paste(a: Applet): Promise<number> {
  const options = a.options('d:s');
  const delimiters = [...(options.value('d') ?? '\t').replace(/\\n/g, '\n').replace(/\\t/g, '\t')];
  const columns: string[][] = [];
  const status = await eachInput(a, options.rest, async (fd) => {
    columns.push(await allLines(a.p, fd));
  });
  const rows = options.has('s')
    ? columns
    : Array.from({ length: Math.max(0, ...columns.map((column) => column.length)) }, (_, index) =>
        columns.map((column) => column[index] ?? ''),
      );
  for (const row of rows)
    await a.out(
      `${row.map((cell, index) => (index === 0 ? cell : (delimiters[(index - 1) % delimiters.length] ?? '') + cell)).join('')}\n`,
    );
  return status;
}

/** fold [-w N] [-s] [FILE]… */
export async function fold(a: Applet): Promise<number> {
  const options = a.options('w:sb');
  const width = a.number(options.value('w') ?? '80');
  return eachInput(a, options.rest, async (fd) => {
    for await (const { text, ended } of lines(a.p, fd)) {
      let rest = text;
      while (rest.length > width) {
        const space = options.has('s') ? rest.lastIndexOf(' ', width - 1) : -1;
        const at = space > 0 ? space + 1 : width;
        await a.out(`${rest.slice(0, at)}\n`);
        rest = rest.slice(at);
      }
      await a.out(rest + (ended ? '\n' : ''));
    }
  });
}
