import { isSysError, strerror } from '../../errno.ts';
import { matches as fits } from '../../shell/pattern.ts';
import { find } from '../../vfs/mount-space.ts';
import { listPath } from '../../vfs/operations.ts';
import { type Applet, usage } from '../applet.ts';
import { allLines, lines } from '../input.ts';
import { literalSource, posixRegex, posixSource } from './regex.ts';

const long = {
  count: 'c',
  'ignore-case': 'i',
  'line-number': 'n',
  'invert-match': 'v',
  quiet: 'q',
  silent: 'q',
  recursive: 'r',
  'extended-regexp': 'E',
  'fixed-strings': 'F',
  'only-matching': 'o',
  'files-with-matches': 'l',
  'files-without-match': 'L',
  'word-regexp': 'w',
  'line-regexp': 'x',
  'max-count': 'm',
  'no-filename': 'h',
  'with-filename': 'H',
  regexp: 'e',
  file: 'f',
  'no-messages': 's',
  'after-context': 'A',
  'before-context': 'B',
  context: 'C',
  include: 'I',
  color: 'K:',
  text: 'a',
};

/** grep, egrep, fgrep. Exits 0 when a line was selected, 1 when none was, 2 on trouble. */
export async function grep(a: Applet): Promise<number> {
  const options = a.options('cinvqrREFolLwxhHsaPze:f:m:A:B:C:I:K:', long);
  const operands = [...options.rest];
  const patterns = options.all('e').flatMap((text) => text.split('\n'));
  for (const file of options.all('f')) {
    try {
      const fd = file === '-' ? 0 : a.p.open(file, { read: true });
      patterns.push(...(await allLines(a.p, fd)));
    } catch (error) {
      await a.cannotOpen(file, error);
      return 2;
    }
  }
  if (!options.has('e') && !options.has('f')) {
    const first = operands.shift();
    if (first === undefined) throw usage(a, '', a.flavour === 'busybox' ? 1 : 2);
    patterns.push(...first.split('\n'));
  }
  const fixed = options.has('F') || a.name === 'fgrep';
  const extended = options.has('E') || options.has('P') || a.name === 'egrep';
  const source = patterns
    .map((text) => {
      const one = fixed ? literalSource(text) : posixSource(text, extended);
      if (options.has('x')) return `^(?:${one})$`;
      return options.has('w') ? `(?<!\\w)(?:${one})(?!\\w)` : `(?:${one})`;
    })
    .join('|');
  if (!fixed) for (const text of patterns) posixRegex(text, extended);
  const regex = patterns.length === 0 ? /(?!)/ : new RegExp(source, `gs${options.has('i') ? 'i' : ''}`);
  return search(a, options, regex, operands);
}

async function search(
  a: Applet,
  options: ReturnType<Applet['options']>,
  regex: RegExp,
  operands: readonly string[],
): Promise<number> {
  const recursive = options.has('r') || options.has('R');
  const globs = options.all('I');
  const files = operands.length > 0 ? operands : [recursive ? '.' : '-'];
  const named = options.has('H') || ((files.length > 1 || recursive) && !options.has('h'));
  const context = options.value('C');
  const before = Number(options.value('B') ?? context ?? 0);
  const after = Number(options.value('A') ?? context ?? 0);
  const limit = options.has('m') ? a.number(options.value('m') ?? '') : Number.POSITIVE_INFINITY;
  const quiet = options.has('q');
  const plain = !quiet && !options.has('c') && !options.has('l') && !options.has('L');
  let selected = false;
  let trouble = false;
  const one = async (fd: number, name: string): Promise<void> => {
    const title = named ? (name === '-' ? '(standard input)' : name) : '';
    let count = 0;
    let number = 0;
    let trail = 0;
    let printed = 0;
    const held: { text: string; number: number }[] = [];
    const show = (text: string, at: number, mark: ':' | '-'): Promise<void> | undefined =>
      a.out(`${named ? title + mark : ''}${options.has('n') ? `${at}${mark}` : ''}${text}\n`);
    for await (const { text } of lines(a.p, fd)) {
      number++;
      regex.lastIndex = 0;
      if (regex.test(text) === options.has('v')) {
        if (trail > 0 && plain) {
          trail--;
          printed = number;
          await show(text, number, '-');
        } else if (before > 0) {
          held.push({ text, number });
          if (held.length > before) held.shift();
        }
        if (count >= limit && trail === 0) break;
        continue;
      }
      if (count >= limit) break;
      count++;
      selected = true;
      if (quiet) return;
      if (plain && options.has('o') && !options.has('v')) {
        regex.lastIndex = 0;
        for (const match of text.matchAll(regex)) if (match[0] !== '') await show(match[0], number, ':');
      } else if (plain) {
        const from = held[0]?.number ?? number;
        if ((before > 0 || after > 0) && printed > 0 && from > printed + 1) await a.out('--\n');
        for (const line of held.splice(0)) await show(line.text, line.number, '-');
        await show(text, number, ':');
        printed = number;
        trail = after;
      } else if (options.has('l') || options.has('L')) break;
      if (count >= limit && after === 0) break;
      // What follows may come from a slow pipe: show what there is.
      if (plain && a.p.fds[fd]?.kind !== 'file') await a.flush();
    }
    if (options.has('c')) await a.out(`${named ? `${title}:` : ''}${count}\n`);
    if (options.has('l') && count > 0) await a.out(`${name}\n`);
    if (options.has('L') && count === 0) await a.out(`${name}\n`);
  };
  const walk = async (name: string, top: boolean): Promise<void> => {
    if (quiet && selected) return;
    try {
      if (name === '-') {
        await one(0, name);
        return;
      }
      const { inode } = find(a.p.view, name, top || options.has('R'));
      if (inode.type === 'directory') {
        if (!recursive) {
          if (a.flavour === 'gnu') await a.warn(`${name}: Is a directory`);
          return;
        }
        for (const child of listPath(a.p.view, name)) await walk(`${name.replace(/\/$/, '')}/${child}`, false);
        return;
      }
      if (!top && inode.type !== 'file') return;
      const base = name.slice(name.lastIndexOf('/') + 1);
      if (recursive && globs.length > 0 && !globs.some((glob) => fits(glob, base))) return;
      const fd = a.p.open(name, { read: true });
      await one(fd, name);
      a.p.close(fd);
    } catch (error) {
      if (!isSysError(error) || error.code === 'EPIPE') throw error;
      trouble = true;
      if (!options.has('s')) await a.warn(`${name}: ${strerror(error)}`);
    }
  };
  for (const name of files) await walk(name, true);
  if (trouble && !(quiet && selected)) return 2;
  return selected ? 0 : 1;
}
