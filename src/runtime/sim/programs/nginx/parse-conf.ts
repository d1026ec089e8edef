/** A directive with its words, and the block it opens if it does. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly file: string;
  readonly line: number;
  readonly block?: readonly Directive[];
}

/** What `nginx -t` says is wrong; the text has file and line. */
export class ConfError extends Error {
  override readonly name = 'ConfError';
}

interface Token {
  readonly text: string;
  readonly kind: 'word' | ';' | '{' | '}';
  readonly line: number;
}

function tokens(text: string, file: string): Token[] {
  const out: Token[] = [];
  let line = 1;
  for (let i = 0; i < text.length; ) {
    const char = text[i] ?? '';
    if (char === '\n') line++;
    if (/\s/.test(char)) i++;
    else if (char === '#') {
      while (i < text.length && text[i] !== '\n') i++;
    } else if (char === ';' || char === '{' || char === '}') {
      out.push({ text: char, kind: char, line });
      i++;
    } else if (char === '"' || char === "'") {
      let word = '';
      for (i++; text[i] !== char; i++) {
        if (i >= text.length) throw new ConfError(`unexpected end of file, expecting ";" or "}" in ${file}:${line}`);
        if (text[i] === '\\' && (text[i + 1] === char || text[i + 1] === '\\')) i++;
        if (text[i] === '\n') line++;
        word += text[i];
      }
      i++;
      out.push({ text: word, kind: 'word', line });
    } else {
      let word = '';
      while (i < text.length && !/[\s;{]/.test(text[i] ?? '')) {
        // ${name} is part of a word.
        if (text[i] === '$' && text[i + 1] === '{') {
          const end = text.indexOf('}', i);
          word += text.slice(i, end + 1);
          i = end < 0 ? text.length : end + 1;
          continue;
        }
        if (text[i] === '\\' && i + 1 < text.length) word += text[i++];
        word += text[i++];
      }
      out.push({ text: word, kind: 'word', line });
    }
  }
  return out;
}

/** Parses a configuration file (ngx_conf_file.c). Throws ConfError with nginx's texts. */
export function parseConf(text: string, file: string): readonly Directive[] {
  const all = tokens(text, file);
  const lastLine = text.split('\n').length - (text.endsWith('\n') ? 0 : 1) || 1;
  let at = 0;
  const block = (nested: boolean): Directive[] => {
    const out: Directive[] = [];
    for (;;) {
      const first = all[at];
      if (!first) {
        if (nested) throw new ConfError(`unexpected end of file, expecting "}" in ${file}:${lastLine}`);
        return out;
      }
      at++;
      if (first.kind === '}') {
        if (!nested) throw new ConfError(`unexpected "}" in ${file}:${first.line}`);
        return out;
      }
      if (first.kind !== 'word') throw new ConfError(`unexpected "${first.text}" in ${file}:${first.line}`);
      const args: string[] = [];
      for (;;) {
        const next = all[at++];
        if (!next) throw new ConfError(`unexpected end of file, expecting ";" or "}" in ${file}:${lastLine}`);
        if (next.kind === 'word') args.push(next.text);
        else if (next.kind === '}') throw new ConfError(`unexpected "}" in ${file}:${next.line}`);
        else {
          const base = { name: first.text, args, file, line: next.line };
          out.push(next.kind === '{' ? { ...base, block: block(true) } : base);
          break;
        }
      }
    }
  };
  return block(false);
}
