/** A Corefile as read: server blocks of plugins with their arguments. Grammar after coredns.io/manual/configuration. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly body: readonly Directive[];
  readonly line: number;
}

export interface ServerBlock {
  /** Without the last dot; '' is the root. */
  readonly zones: readonly string[];
  readonly port: number;
  readonly plugins: readonly Directive[];
}

/** What is wrong, and where: `Corefile:3: …`. */
export class CorefileError extends Error {
  override readonly name = 'CorefileError';
  constructor(line: number, message: string) {
    super(`Corefile:${line}: ${message}`);
  }
}

interface Token {
  readonly text: string;
  readonly line: number;
  readonly quoted: boolean;
}

function tokens(text: string): readonly Token[] {
  const out: Token[] = [];
  let line = 1;
  for (let i = 0; i < text.length; ) {
    const c = text[i] as string;
    if (c === '\n') {
      line++;
      i++;
    } else if (/\s/.test(c)) i++;
    else if (c === '#') while (i < text.length && text[i] !== '\n') i++;
    else if (c === '"') {
      const start = line;
      let word = '';
      for (i++; i < text.length && text[i] !== '"'; i++) {
        if (text[i] === '\\' && text[i + 1] === '"') i++;
        if (text[i] === '\n') line++;
        word += text[i];
      }
      if (i >= text.length) throw new CorefileError(start, 'a quoted word is not closed');
      i++;
      out.push({ text: word, line: start, quoted: true });
    } else {
      let word = '';
      while (i < text.length && !/\s/.test(text[i] as string)) word += text[i++];
      out.push({ text: word, line, quoted: false });
    }
  }
  return out;
}

/** Reads a Corefile; which plugins exist is not its business. Throws `CorefileError`. */
export function parseCorefile(text: string): readonly ServerBlock[] {
  const list = tokens(text);
  let at = 0;
  const is = (token: Token | undefined, sign: string): boolean => token?.text === sign && !token.quoted;
  const body = (opened: number): Directive[] => {
    const out: Directive[] = [];
    for (;;) {
      const token = list[at];
      if (!token) throw new CorefileError(opened, 'a { is not closed');
      if (is(token, '}')) {
        at++;
        return out;
      }
      if (is(token, '{')) throw new CorefileError(token.line, 'a { stands without a name before it');
      at++;
      const args: string[] = [];
      let inner: readonly Directive[] = [];
      for (let next = list[at]; next && next.line === token.line && !is(next, '}'); next = list[at]) {
        at++;
        if (is(next, '{')) {
          inner = body(next.line);
          break;
        }
        args.push(next.text);
      }
      out.push({ name: token.text, args, body: inner, line: token.line });
    }
  };
  const blocks: ServerBlock[] = [];
  while (at < list.length) {
    const first = list[at] as Token;
    const keys: string[] = [];
    while (at < list.length && !is(list[at], '{')) keys.push((list[at++] as Token).text.replace(/,$/, ''));
    const open = list[at++];
    if (!open) throw new CorefileError(first.line, `${keys.join(' ')} is not followed by {`);
    if (keys.length === 0) throw new CorefileError(open.line, 'a server block needs a zone');
    const plugins = body(open.line);
    const byPort = new Map<number, string[]>();
    for (const key of keys) {
      const { zone, port } = zoneAndPort(key, first.line);
      byPort.set(port, [...(byPort.get(port) ?? []), zone]);
    }
    for (const [port, zones] of byPort) blocks.push({ zones, port, plugins });
  }
  return blocks;
}

function zoneAndPort(key: string, line: number): { readonly zone: string; readonly port: number } {
  const bare = key.replace(/^dns:\/\//, '');
  if (bare.includes('://')) {
    throw new CorefileError(line, `${key}: only plain DNS is served, not ${key.split('://')[0]}`);
  }
  const match = /^(.*?)(?::(\d+))?$/.exec(bare);
  return { zone: (match?.[1] ?? '').toLowerCase().replace(/\.$/, ''), port: match?.[2] ? Number(match[2]) : 53 };
}

/** The Corefile of a usual cluster. */
export const defaultCorefile = (zone = 'cluster.local'): string => `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes ${zone} in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;
