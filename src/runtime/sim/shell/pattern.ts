const classes: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\\x00-\\x1f\\x7f',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
};

/** The regular expression source of a shell pattern, in which `\` quotes. `path`: wildcards stop at slashes. */
export function patternSource(pattern: string, path = false, lazy = false): string {
  let out = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? '';
    if (char === '*') out += `${path ? '[^/]' : '[^]'}*${lazy ? '?' : ''}`;
    else if (char === '?') out += path ? '[^/]' : '[^]';
    else if (char === '[') {
      const match = /^\[([!^]?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]/.exec(pattern.slice(i));
      if (!match) {
        out += '\\[';
        continue;
      }
      const body = (match[2] ?? '').replace(
        /\[:(\w+):\]|\\(.)|([\]\\^])/g,
        (_all, name?: string, quoted?: string, bare?: string) => (name ? (classes[name] ?? '') : `\\${quoted ?? bare}`),
      );
      out += `[${match[1] ? '^' : ''}${body}]`;
      i += match[0].length - 1;
    } else if (char === '\\' && i + 1 < pattern.length) {
      i++;
      out += escapeRegex(pattern[i] ?? '');
    } else out += escapeRegex(char);
  }
  return out;
}

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** Whether a whole text fits a shell pattern. */
export function matches(pattern: string, text: string): boolean {
  return new RegExp(`^${patternSource(pattern)}$`).test(text);
}

/** Takes the wildcards out of quoted text. */
export const quotePattern = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&');

/** Whether an unquoted wildcard is left. */
export const hasWildcard = (pattern: string): boolean => /(^|[^\\])(\\\\)*[*?[]/.test(pattern);

/** `${x#p}` and friends. */
export function trim(text: string, pattern: string, op: '#' | '##' | '%' | '%%'): string {
  if (op === '#' || op === '##') {
    const lengths = op === '#' ? ascending(text.length) : ascending(text.length).reverse();
    for (const length of lengths) if (matches(pattern, text.slice(0, length))) return text.slice(length);
    return text;
  }
  const lengths = op === '%' ? ascending(text.length) : ascending(text.length).reverse();
  for (const length of lengths)
    if (matches(pattern, text.slice(text.length - length))) return text.slice(0, text.length - length);
  return text;
}

const ascending = (to: number): number[] => Array.from({ length: to + 1 }, (_, length) => length);
