/** Go's regular expressions (RE2) as JavaScript ones. */
const limit = 2048;
const cache = new Map<string, RegExp | undefined>();

/** Named groups, inline flags at the start, `\A`, `\z`, `\pL` and POSIX classes in JavaScript's spelling. */
function translate(pattern: string): { readonly source: string; readonly flags: string } {
  let flags = 'u';
  let rest = pattern;
  const inline = /^\(\?([imsU]+)\)/.exec(rest);
  if (inline) {
    rest = rest.slice(inline[0].length);
    for (const flag of inline[1] ?? '') if (flag !== 'U') flags += flag;
  }
  const posix: Readonly<Record<string, string>> = {
    alpha: 'A-Za-z',
    digit: '0-9',
    alnum: 'A-Za-z0-9',
    upper: 'A-Z',
    lower: 'a-z',
    space: '\\s',
    punct: '!-\\/:-@\\[-`{-~',
    xdigit: '0-9A-Fa-f',
    word: '\\w',
    blank: ' \\t',
    cntrl: '\\x00-\\x1f\\x7f',
    print: ' -~',
    graph: '!-~',
  };
  const source = rest
    .replace(/\[:(\w+):\]/g, (whole, name: string) => posix[name] ?? whole)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\([AzpP])(\{\^?[A-Za-z]+\}|[A-Z])?/g, (_, letter: string, name: string | undefined) => {
      if (letter === 'A') return `^${name ?? ''}`;
      if (letter === 'z') return `$${name ?? ''}`;
      return `\\${letter}${name?.startsWith('{') ? name : `{${name ?? 'L'}}`}`;
    });
  return { source, flags };
}

/** Escapes that RE2 takes and JavaScript's unicode mode refuses: `\-`, `\_`, `\"` … outside what has a meaning. */
const lenient = (source: string): string => source.replace(/\\([^\w\s^$\\.*+?()[\]{}|/-])/g, '$1');

/** Compiles a Go pattern; undefined where JavaScript has no such expression. */
export function goRegExp(pattern: string): RegExp | undefined {
  if (cache.has(pattern)) return cache.get(pattern);
  const { source, flags } = translate(pattern);
  let compiled: RegExp | undefined;
  for (const [text, mode] of [
    [source, flags],
    [lenient(source), flags],
    [source, flags.replace('u', '')],
  ] as const) {
    try {
      compiled = new RegExp(text, mode);
      break;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  if (cache.size >= limit) cache.clear();
  cache.set(pattern, compiled);
  return compiled;
}
