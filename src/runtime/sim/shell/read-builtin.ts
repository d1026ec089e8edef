import { isSysError, SysError } from '../errno.ts';
import type { Process } from '../kernel/process.ts';
import type { Shell } from './shell.ts';
import { getVariable, setVariable } from './state.ts';

/** One line from a descriptor, byte by byte, since others may read on after it. Undefined text: the end came first. */
export async function readLine(
  p: Process,
  fd: number,
  options: { readonly raw: boolean; readonly delimiter?: string; readonly count?: number },
): Promise<{ readonly bytes: readonly number[]; readonly complete: boolean }> {
  const bytes: number[] = [];
  const stop = (options.delimiter ?? '\n').charCodeAt(0) || 0;
  for (;;) {
    const part = await p.read(fd, 1, true);
    const byte = part?.[0];
    if (byte === undefined) return { bytes, complete: false };
    if (!options.raw && byte === 92) {
      const next = (await p.read(fd, 1, true))?.[0];
      if (next === undefined) return { bytes, complete: false };
      if (next !== 10) bytes.push(-next);
      continue;
    }
    if (byte === stop) return { bytes, complete: true };
    bytes.push(byte);
    if (options.count !== undefined && bytes.length >= options.count) return { bytes, complete: true };
    if (bytes.length > 1 << 20) throw new SysError('EFBIG');
  }
}

/** read(1) of the shells: -r, -p prompt, -t seconds, -n count, -d delimiter, -u fd, -s, -a array. */
export async function readBuiltin(shell: Shell, argv: readonly string[]): Promise<number> {
  const { state } = shell;
  const { p } = state;
  let raw = false;
  let array: string | undefined;
  let prompt: string | undefined;
  let timeout: number | undefined;
  let count: number | undefined;
  let delimiter: string | undefined;
  let fd = 0;
  let at = 1;
  for (; /^-./.test(argv[at] ?? ''); at++) {
    const word = argv[at] ?? '';
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? '';
      if (letter === 'r') raw = true;
      if (!'ptndua'.includes(letter)) continue;
      const value = i + 1 < word.length ? word.slice(i + 1) : (argv[++at] ?? '');
      if (letter === 'p') prompt = value;
      else if (letter === 't') timeout = Number(value);
      else if (letter === 'n') count = Number(value);
      else if (letter === 'd') delimiter = value;
      else if (letter === 'u') fd = Number(value);
      else array = value;
      break;
    }
  }
  if (prompt !== undefined && p.fds[fd]?.kind === 'tty') await p.complain(prompt);
  const options = { raw, ...(delimiter === undefined ? {} : { delimiter }), ...(count === undefined ? {} : { count }) };
  let line: Awaited<ReturnType<typeof readLine>>;
  let timer: { cancel(): void } | undefined;
  try {
    if (timeout === undefined) line = await readLine(p, fd, options);
    else {
      const late = new Promise<undefined>((resolve) => {
        timer = p.workload.clock.after((timeout ?? 0) * 1000, () => resolve(undefined), { background: true });
      });
      const got = await Promise.race([readLine(p, fd, options), late]);
      if (!got) return state.dialect === 'bash' ? 142 : 1;
      line = got;
    }
  } catch (error) {
    if (isSysError(error, 'EINTR')) return 130;
    throw error;
  } finally {
    timer?.cancel();
  }
  const names = argv.slice(at);
  const ifs = getVariable(state, 'IFS') ?? ' \t\n';
  const pieces = split(line.bytes, ifs, array !== undefined ? Number.MAX_SAFE_INTEGER : Math.max(1, names.length));
  if (array !== undefined) setVariable(state, array, pieces);
  else if (names.length === 0) setVariable(state, 'REPLY', text(line.bytes));
  else for (const [index, name] of names.entries()) setVariable(state, name, pieces[index] ?? '');
  return line.complete ? 0 : 1;
}

/** Bytes to text; quoted bytes are negative. */
const text = (bytes: readonly number[]): string => Buffer.from(bytes.map(Math.abs)).toString();

function split(bytes: readonly number[], ifs: string, limit: number): string[] {
  const is = (byte: number | undefined, set: string): boolean =>
    byte !== undefined && byte >= 0 && set.includes(String.fromCharCode(byte));
  const white = [...ifs].filter((char) => ' \t\n'.includes(char)).join('');
  let at = 0;
  let end = bytes.length;
  while (is(bytes[at], white)) at++;
  while (end > at && is(bytes[end - 1], white)) end--;
  const out: string[] = [];
  while (at < end) {
    if (out.length === limit - 1) {
      out.push(text(bytes.slice(at, end)));
      break;
    }
    let stop = at;
    while (stop < end && !is(bytes[stop], ifs)) stop++;
    out.push(text(bytes.slice(at, stop)));
    at = stop;
    while (at < end && is(bytes[at], white)) at++;
    if (at < end && is(bytes[at], ifs) && !is(bytes[at], white)) {
      at++;
      while (at < end && is(bytes[at], white)) at++;
    } else if (stop < end && is(bytes[stop], ifs) && !is(bytes[stop], white) && at === stop) at++;
  }
  return out;
}
