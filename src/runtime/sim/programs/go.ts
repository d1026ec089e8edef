import { SysError, strerror } from '../errno.ts';
import type { Process } from '../kernel/process.ts';
import { listen } from '../net/sockets.ts';
import { type Handler, type HttpResponse, type ServerOptions, serveHttp } from './http/server.ts';
import { formatTime } from './system/time.ts';

/** A line of Go's log package, on standard error. */
export function goLog(p: Process, text: string): Promise<void> {
  return p.complain(`${formatTime('%Y/%m/%d %H:%M:%S', p.workload.clock.now())} ${text.replace(/\n$/, '')}\n`);
}

/** A line of klog. */
export function klog(p: Process, level: 'I' | 'W' | 'E' | 'F', file: string, text: string): Promise<void> {
  const now = p.workload.clock.now();
  const micros = String((now % 1000) * 1000)
    .split('.')[0]
    ?.padStart(6, '0');
  return p.complain(
    `${level}${formatTime('%m%d %H:%M:%S', now)}.${micros} ${String(p.pid).padStart(7)} ${file}] ${text}\n`,
  );
}

/** An errno as Go spells it: in lower case. */
export const goError = (error: SysError): string => strerror(error).toLowerCase();

/** http.ListenAndServe: serves for ever, or ends the program as log.Fatal does when the port is taken. */
export async function goServe(
  p: Process,
  port: number,
  handler: Handler,
  options: ServerOptions = {},
): Promise<number> {
  let listener: ReturnType<typeof listen>;
  try {
    listener = listen(p, port);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await goLog(p, `listen tcp :${port}: bind: ${goError(error)}`);
    return p.exit(1);
  }
  return serveHttp(p, listener, handler, options);
}

/** http.Error. */
export const goHttpError = (status: number, text: string): HttpResponse => ({
  status,
  headers: [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
  ],
  body: `${text}\n`,
});

/** A handler's plain text. */
export const goText = (body: string, status = 200): HttpResponse => ({
  status,
  headers: body === '' ? [] : [['Content-Type', 'text/plain; charset=utf-8']],
  body,
});

/** The mux's answer to a path without a handler. */
export const goNotFound = goHttpError(404, '404 page not found');

/** time.ParseDuration in milliseconds; undefined when malformed. */
export function goDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const units: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
  };
  const parts = [...text.replace(/^[-+]/, '').matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.replace(/^[-+]/, '')) return undefined;
  return (
    parts.reduce((sum, part) => sum + Number(part[1]) * (units[part[2] ?? ''] ?? 0), 0) *
    (text.startsWith('-') ? -1 : 1)
  );
}

/** Flags of a program as pflag (`--name=value`, `--name value`) or Go's flag package (one dash) read them. */
export interface GoFlags {
  has(name: string): boolean;
  text(name: string): string;
  number(name: string): number;
  readonly rest: readonly string[];
}

/** Reads flags. `spec` gives defaults; a boolean default makes a flag without value. `problem` when one is unknown or wrong. */
export function goFlags(
  args: readonly string[],
  spec: Readonly<Record<string, string | number | boolean>>,
  shorts: Readonly<Record<string, string>> = {},
): GoFlags | { readonly problem: string } {
  const values = new Map<string, string>();
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      rest.push(...args.slice(at + 1));
      break;
    }
    const match = /^--?([A-Za-z0-9][\w-]*)(?:=([\s\S]*))?$/.exec(word);
    if (!match) {
      rest.push(word);
      continue;
    }
    const name = shorts[match[1] ?? ''] ?? match[1] ?? '';
    const fallback = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (fallback === undefined)
      return { problem: word.startsWith('--') ? `unknown flag: --${name}` : `flag provided but not defined: -${name}` };
    if (match[2] !== undefined) values.set(name, match[2]);
    else if (typeof fallback === 'boolean') values.set(name, 'true');
    else {
      const value = args[++at];
      if (value === undefined) return { problem: `flag needs an argument: --${name}` };
      values.set(name, value);
    }
    const value = values.get(name) ?? '';
    if (typeof fallback === 'number' && !/^-?\d+$/.test(value))
      return {
        problem: `invalid argument "${value}" for "--${name}" flag: strconv.ParseInt: parsing "${value}": invalid syntax`,
      };
  }
  return {
    has: (name) => (values.get(name) ?? String(spec[name] ?? false)) === 'true',
    text: (name) => values.get(name) ?? String(spec[name] ?? ''),
    number: (name) => Number(values.get(name) ?? spec[name] ?? 0),
    rest,
  };
}
