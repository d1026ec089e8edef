import { isSysError, strerror } from '../../errno.ts';
import { find } from '../../vfs/mount-space.ts';
import { type Applet, Failure, usage } from '../applet.ts';

/** Pairs of equal lines by longest common subsequence; a bound on the work keeps huge files from stalling. */
function common(left: readonly string[], right: readonly string[]): readonly (readonly [number, number])[] {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let tail = 0;
  while (
    tail < left.length - start &&
    tail < right.length - start &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  )
    tail++;
  const rows = left.length - start - tail;
  const columns = right.length - start - tail;
  if (rows * columns > 25_000_000) throw new Failure('files differ too much to be compared here', 2);
  const table = Array.from({ length: rows + 1 }, () => new Uint32Array(columns + 1));
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--) {
      const row = table[i] as Uint32Array;
      const below = table[i + 1] as Uint32Array;
      row[j] =
        left[start + i] === right[start + j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  const pairs: [number, number][] = Array.from({ length: start }, (_, index) => [index, index]);
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (left[start + i] === right[start + j]) pairs.push([start + i++, start + j++]);
    else if ((table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0)) i++;
    else j++;
  }
  for (let i = tail; i > 0; i--) pairs.push([left.length - i, right.length - i]);
  return pairs;
}

interface Change {
  readonly from: number;
  readonly to: number;
  readonly otherFrom: number;
  readonly otherTo: number;
}

function changes(left: readonly string[], right: readonly string[]): Change[] {
  const out: Change[] = [];
  let i = 0;
  let j = 0;
  for (const [x, y] of [...common(left, right), [left.length, right.length] as const]) {
    if (x > i || y > j) out.push({ from: i, to: x, otherFrom: j, otherTo: y });
    i = x + 1;
    j = y + 1;
  }
  return out;
}

/** diff [-u] [-q] [-w] [-i] [-B] FILE1 FILE2: busybox prints unified always, GNU when asked. Exits 0, 1 when they differ, 2 on trouble. */
export async function diff(a: Applet): Promise<number> {
  const options = a.options('uqwibBrNasTtL:U:', { unified: 'u', brief: 'q', label: 'L' });
  const [first, second] = options.rest;
  if (first === undefined || second === undefined) throw usage(a, '', 2);
  const texts: string[] = [];
  for (const [index, name] of [first, second].entries()) {
    try {
      let path = name;
      const other = index === 0 ? second : first;
      if (name !== '-' && find(a.p.view, name).inode.type === 'directory') path = `${name}/${other.split('/').pop()}`;
      const fd = path === '-' ? 0 : a.p.open(path, { read: true });
      texts.push((await a.p.readAll(fd)).toString());
      if (fd !== 0) a.p.close(fd);
    } catch (error) {
      if (!isSysError(error)) throw error;
      await a.warn(
        a.flavour === 'busybox' ? `can't stat '${name}': ${strerror(error)}` : `${name}: ${strerror(error)}`,
      );
      return 2;
    }
  }
  const split = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
  const clean = (line: string): string => {
    const spaced = options.has('w')
      ? line.replace(/\s+/g, '')
      : options.has('b')
        ? line.replace(/\s+/g, ' ').trimEnd()
        : line;
    return options.has('i') ? spaced.toLowerCase() : spaced;
  };
  const left = split(texts[0] ?? '');
  const right = split(texts[1] ?? '');
  const found = changes(left.map(clean), right.map(clean));
  if (found.length === 0) {
    if (options.has('s')) await a.out(`Files ${first} and ${second} are identical\n`);
    return 0;
  }
  if (options.has('q')) await a.out(`Files ${first} and ${second} differ\n`);
  else if (a.flavour === 'busybox' || options.has('u') || options.has('U'))
    await unified(a, first, second, left, right, found, Number(options.value('U') ?? 3));
  else await normal(a, left, right, found);
  return 1;
}

async function unified(
  a: Applet,
  first: string,
  second: string,
  left: readonly string[],
  right: readonly string[],
  found: readonly Change[],
  context: number,
): Promise<void> {
  await a.out(`--- ${first}\n+++ ${second}\n`);
  const range = (from: number, to: number): string =>
    to - from === 1 ? String(from + 1) : `${to === from ? from : from + 1},${to - from}`;
  for (let at = 0; at < found.length; ) {
    let end = at;
    while (end + 1 < found.length && (found[end + 1]?.from ?? 0) - (found[end]?.to ?? 0) <= context * 2) end++;
    const group = found.slice(at, end + 1);
    const head = group[0] as Change;
    const tail = group.at(-1) as Change;
    const from = Math.max(0, head.from - context);
    const to = Math.min(left.length, tail.to + context);
    const otherFrom = head.otherFrom - (head.from - from);
    const otherTo = tail.otherTo + (to - tail.to);
    await a.out(`@@ -${range(from, to)} +${range(otherFrom, otherTo)} @@\n`);
    let line = from;
    for (const change of group) {
      for (; line < change.from; line++) await a.out(` ${left[line]}\n`);
      for (const text of left.slice(change.from, change.to)) await a.out(`-${text}\n`);
      for (const text of right.slice(change.otherFrom, change.otherTo)) await a.out(`+${text}\n`);
      line = change.to;
    }
    for (; line < to; line++) await a.out(` ${left[line]}\n`);
    at = end + 1;
  }
}

async function normal(
  a: Applet,
  left: readonly string[],
  right: readonly string[],
  found: readonly Change[],
): Promise<void> {
  const range = (from: number, to: number): string =>
    to - from <= 1 ? String(from + (to > from ? 1 : 0)) : `${from + 1},${to}`;
  for (const { from, to, otherFrom, otherTo } of found) {
    const kind = to === from ? 'a' : otherTo === otherFrom ? 'd' : 'c';
    await a.out(`${range(from, to)}${kind}${range(otherFrom, otherTo)}\n`);
    for (const text of left.slice(from, to)) await a.out(`< ${text}\n`);
    if (kind === 'c') await a.out('---\n');
    for (const text of right.slice(otherFrom, otherTo)) await a.out(`> ${text}\n`);
  }
}

/** cmp [-s] FILE1 FILE2 */
export async function cmp(a: Applet): Promise<number> {
  const options = a.options('sl');
  const data: Buffer[] = [];
  for (const name of options.rest.slice(0, 2)) {
    try {
      const fd = name === '-' ? 0 : a.p.open(name, { read: true });
      data.push(await a.p.readAll(fd));
    } catch (error) {
      await a.cannotOpen(name, error);
      return 2;
    }
  }
  const [left, right] = data;
  if (!left || !right) throw usage(a, '', 2);
  if (left.equals(right)) return 0;
  if (options.has('s')) return 1;
  const [first, second] = options.rest;
  const shorter = Math.min(left.length, right.length);
  let at = 0;
  while (at < shorter && left[at] === right[at]) at++;
  if (at === shorter) await a.warn(`EOF on ${left.length < right.length ? first : second}`);
  else
    await a.out(
      `${first} ${second} differ: ${a.flavour === 'gnu' ? 'byte' : 'char'} ${at + 1}, line ${left.subarray(0, at).filter((byte) => byte === 10).length + 1}\n`,
    );
  return 1;
}
