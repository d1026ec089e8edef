/**
 * The parser knows no optional syntax. `a.?b.c`, `a[?k]` and `x.optMap(v, e)` are therefore written as calls of functions before it sees
 * them: `a.optSelect("b").optSelect("c")`, `a.optIndex(k)`, `x.optToList().map(v, e).listToOpt()`.
 */

/** The index behind a string literal that starts at `at`, raw and triple-quoted ones included. */
function skipString(text: string, at: number): number {
  const quote = text.charAt(at);
  const raw = /[rR]/.test(text.charAt(at - 1)) && !/\w/.test(text.charAt(at - 2));
  const triple = text.startsWith(quote.repeat(3), at);
  const end = triple ? quote.repeat(3) : quote;
  let i = at + end.length;
  while (i < text.length && !text.startsWith(end, i)) i += text.charAt(i) === '\\' && !raw ? 2 : 1;
  return i + end.length;
}

/** The index of the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"' || char === "'") i = skipString(text, i) - 1;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return i;
  }
  return text.length;
}

const word = (text: string, at: number): string => /^[A-Za-z_]\w*/.exec(text.slice(at, at + 256))?.[0] ?? '';

function isCall(text: string, at: number): boolean {
  let i = at;
  while (/\s/.test(text.charAt(i))) i++;
  return text.charAt(i) === '(';
}

/** Rewrites optional syntax; texts without any come back as they are. */
export function rewriteOptionals(text: string): string {
  if (!/\.\?|\[\s*\?|opt(?:Flat)?Map/.test(text)) return text;
  let out = '';
  /** Whether what stands left of here is an optional: then plain selection goes on inside it. */
  let optional = false;
  let i = 0;
  while (i < text.length) {
    const char = text.charAt(i);
    if (char === '"' || char === "'") {
      const end = skipString(text, i);
      out += text.slice(i, end);
      i = end;
      optional = false;
    } else if (char === '.' && (text.charAt(i + 1) === '?' || word(text, i + 1) !== '')) {
      const marked = text.charAt(i + 1) === '?';
      const from = i + (marked ? 2 : 1);
      const name = word(text, from);
      i = from + name.length;
      if (marked || (optional && !isCall(text, i))) {
        out += `.optSelect("${name}")`;
        optional = true;
      } else if ((name === 'optMap' || name === 'optFlatMap') && isCall(text, i)) {
        const open = text.indexOf('(', i);
        const end = closing(text, open);
        out += `.optToList().map${rewriteOptionals(text.slice(open, end + 1))}.${name === 'optMap' ? 'listToOpt' : 'listToFlatOpt'}()`;
        i = end + 1;
        optional = true;
      } else {
        out += `.${name}`;
        optional = false;
        if (isCall(text, i)) {
          const open = text.indexOf('(', i);
          const end = closing(text, open);
          out += rewriteOptionals(text.slice(open, end + 1));
          i = end + 1;
          optional = name === 'or' || name === 'optSelect' || name === 'optIndex';
        }
      }
    } else if (char === '[') {
      const end = closing(text, i);
      const inner = text.slice(i + 1, end);
      const isIndex = /[\w)\]]$/.test(out.trimEnd());
      if (isIndex && (/^\s*\?/.test(inner) || optional)) {
        out += `.optIndex(${rewriteOptionals(inner.replace(/^\s*\?/, ''))})`;
        optional = true;
      } else {
        out += `[${rewriteOptionals(inner)}]`;
        optional = false;
      }
      i = end + 1;
    } else {
      if (!/\s/.test(char)) optional = false;
      out += char;
      i++;
    }
  }
  return out;
}
