import { isSysError, SysError, strerror } from '../../errno.ts';
import { prepare, searchPath, spawn } from '../../kernel/exec.ts';
import { parseSignal, signalNumbers } from '../../kernel/signals.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { runCommand } from '../files/find.ts';

const unitMs: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1.5m` in milliseconds; undefined when malformed. */
export function durationMs(text: string): number | undefined {
  if (/^inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  const match = /^(\d*\.?\d+|\d+\.)([smhd]?)$/.exec(text);
  return match ? Number(match[1]) * (unitMs[match[2] ?? ''] ?? 1000) : undefined;
}

/** sleep NUMBER[smhd]… */
export async function sleep(a: Applet): Promise<number> {
  const gnu = a.flavour === 'gnu';
  if (a.args[0] === '--help') throw usage(a, '', 0);
  if (a.args.length === 0)
    throw gnu ? new Failure("missing operand\nTry 'sleep --help' for more information.") : usage(a);
  let total = 0;
  for (const word of a.args) {
    const ms = durationMs(word);
    if (ms === undefined)
      throw new Failure(
        gnu ? `invalid time interval '${word}'\nTry 'sleep --help' for more information.` : `invalid number '${word}'`,
      );
    total += ms;
  }
  await a.p.sleep(total);
  return 0;
}

/** usleep N */
export async function usleep(a: Applet): Promise<number> {
  await a.p.sleep(a.number(a.args[0] ?? '') / 1000);
  return 0;
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** strftime(3) in UTC. */
export function formatTime(format: string, time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  const one = (letter: string): string | undefined => {
    switch (letter) {
      case 'Y':
        return String(date.getUTCFullYear());
      case 'y':
        return two(date.getUTCFullYear() % 100);
      case 'm':
        return two(date.getUTCMonth() + 1);
      case 'd':
        return two(date.getUTCDate());
      case 'e':
        return String(date.getUTCDate()).padStart(2);
      case 'H':
        return two(date.getUTCHours());
      case 'I':
        return two(date.getUTCHours() % 12 || 12);
      case 'M':
        return two(date.getUTCMinutes());
      case 'S':
        return two(date.getUTCSeconds());
      case 'N':
        return String(date.getUTCMilliseconds() * 1_000_000).padStart(9, '0');
      case 's':
        return String(Math.floor(time / 1000));
      case 'p':
        return date.getUTCHours() < 12 ? 'AM' : 'PM';
      case 'Z':
        return 'UTC';
      case 'z':
        return '+0000';
      case 'a':
        return days[date.getUTCDay()]?.slice(0, 3);
      case 'A':
        return days[date.getUTCDay()];
      case 'b':
      case 'h':
        return months[date.getUTCMonth()]?.slice(0, 3);
      case 'B':
        return months[date.getUTCMonth()];
      case 'j':
        return String(Math.floor((time - start) / 86_400_000) + 1).padStart(3, '0');
      case 'U':
        return two(Math.floor((Math.floor((time - start) / 86_400_000) + 7 - date.getUTCDay()) / 7));
      case 'u':
        return String(date.getUTCDay() || 7);
      case 'w':
        return String(date.getUTCDay());
      case 'F':
        return formatTime('%Y-%m-%d', time);
      case 'T':
        return formatTime('%H:%M:%S', time);
      case 'R':
        return formatTime('%H:%M', time);
      case 'D':
        return formatTime('%m/%d/%y', time);
      case 'c':
        return formatTime('%a %b %e %H:%M:%S %Y', time);
      case 'x':
        return formatTime('%m/%d/%y', time);
      case 'X':
        return formatTime('%H:%M:%S', time);
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '%':
        return '%';
      default:
        return undefined;
    }
  };
  return format.replace(/%[-_0^]?([a-zA-Z%])/g, (all, letter: string) => {
    const text = one(letter);
    if (text === undefined) return all;
    return all[1] === '-' ? text.replace(/^[0 ]+(?=.)/, '') : text;
  });
}

/** date [-u] [-R] [-I[SPEC]] [-d TIME] [-r FILE] [+FORMAT] */
export async function date(a: Applet): Promise<number> {
  const iso = a.args.map((word) => /^(?:-I|--iso-8601=?)(\w*)$/.exec(word)).find((match) => match !== null);
  const options = a.options(
    'uRs:d:r:D:',
    { utc: 'u', date: 'd', rfc: 'R', 'rfc-email': 'R' },
    a.args.filter((word) => !/^(-I|--iso-8601)/.test(word)),
  );
  if (options.has('s')) throw new Failure("can't set date: Operation not permitted");
  const given = options.value('d');
  let time = a.p.workload.clock.now();
  if (given !== undefined) {
    const parsed = given.startsWith('@') ? Number(given.slice(1)) * 1000 : relative(given, time);
    if (Number.isNaN(parsed))
      throw new Failure(a.flavour === 'gnu' ? `invalid date '${given}'` : `invalid date '${given}'`);
    time = parsed;
  }
  const [word] = options.rest;
  if (word !== undefined && !word.startsWith('+'))
    throw new Failure(a.flavour === 'gnu' ? `invalid date '${word}'` : `invalid date '${word}'`);
  const format =
    word?.slice(1) ??
    (iso ? isoFormat(iso[1] ?? '') : options.has('R') ? '%a, %d %b %Y %H:%M:%S %z' : '%a %b %e %H:%M:%S %Z %Y');
  await a.out(`${formatTime(format, time)}\n`);
  return 0;
}

const isoFormat = (spec: string): string =>
  spec.startsWith('s')
    ? '%Y-%m-%dT%H:%M:%S+00:00'
    : spec.startsWith('m')
      ? '%Y-%m-%dT%H:%M+00:00'
      : spec.startsWith('h')
        ? '%Y-%m-%dT%H+00:00'
        : spec.startsWith('n')
          ? '%Y-%m-%dT%H:%M:%S,%N+00:00'
          : '%F';

/** `now`, `yesterday`, `2 hours ago`, `+1 day`, or a date in ISO form. */
function relative(text: string, now: number): number {
  const day = 86_400_000;
  const words: Readonly<Record<string, number>> = { now: 0, today: 0, yesterday: -day, tomorrow: day };
  const fixed = words[text.trim()];
  if (fixed !== undefined) return now + fixed;
  const match = /^([-+]?\d+)\s*(sec|second|min|minute|hour|day|week)s?(\s+ago)?$/.exec(text.trim());
  if (match) {
    const unit =
      { sec: 1000, second: 1000, min: 60_000, minute: 60_000, hour: 3_600_000, day, week: 7 * day }[match[2] ?? ''] ??
      0;
    return now + Number(match[1]) * unit * (match[3] ? -1 : 1);
  }
  const clean = text.trim().replace(' ', 'T');
  return Date.parse(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/.test(clean) ? `${clean}${clean.includes('T') ? '' : 'T00:00'}Z` : text,
  );
}

/** timeout [-s SIG] [-k SECS] SECS COMMAND… */
export async function timeout(a: Applet): Promise<number> {
  const options = a.options('+s:k:fpv', { signal: 's', 'kill-after': 'k', foreground: 'f', 'preserve-status': 'p' });
  const [text, ...argv] = options.rest;
  if (text === undefined || argv.length === 0)
    throw a.flavour === 'busybox'
      ? usage(a)
      : new Failure("missing operand\nTry 'timeout --help' for more information.", 125);
  const ms = durationMs(text);
  if (ms === undefined)
    throw new Failure(
      a.flavour === 'gnu' ? `invalid time interval '${text}'` : `invalid number '${text}'`,
      a.flavour === 'gnu' ? 125 : 1,
    );
  const signal = parseSignal(options.value('s') ?? 'TERM');
  if (!signal) throw new Failure(`${a.flavour === 'gnu' ? '' : ''}bad signal name '${options.value('s')}'`.trim());
  const path = searchPath(a.p, argv[0] ?? '');
  let child: ReturnType<typeof spawn>;
  try {
    if (path === undefined) throw new SysError('ENOENT');
    child = spawn(a.p, prepare(a.p, path, argv));
  } catch (error) {
    if (!isSysError(error)) throw error;
    await a.warn(
      a.flavour === 'gnu'
        ? `failed to run command '${argv[0]}': ${strerror(error)}`
        : `can't execute '${argv[0]}': ${strerror(error)}`,
    );
    return error.code === 'ENOENT' ? 127 : 126;
  }
  const { clock } = a.p.workload;
  let expired = false;
  const after = options.has('k') ? durationMs(options.value('k') ?? '') : undefined;
  let second: ReturnType<typeof clock.after> | undefined;
  const first =
    ms > 0 && ms !== Number.POSITIVE_INFINITY
      ? clock.after(
          ms,
          () => {
            expired = true;
            child.signal(signal);
            if (after !== undefined) second = clock.after(after, () => child.signal('KILL'), { background: true });
          },
          { background: true },
        )
      : undefined;
  for (const name of ['TERM', 'INT', 'HUP', 'QUIT'] as const) a.p.handle(name, () => child.signal(name));
  const status = await a.p.wait(child);
  first?.cancel();
  second?.cancel();
  if (expired && a.flavour === 'gnu' && !options.has('p')) return status.signal === 'KILL' ? 137 : 124;
  return expired && !options.has('p') ? (signal === 'TERM' ? 143 : 128 + signalNumbers[signal]) : status.code;
}

/** watch [-n SECS] [-t] COMMAND… */
export async function watch(a: Applet): Promise<number> {
  const options = a.options('+n:tdeg', { interval: 'n' });
  if (options.rest.length === 0) throw usage(a);
  const every = durationMs(options.value('n') ?? '2') ?? 2000;
  const text = options.rest.join(' ');
  for (;;) {
    await a.out('\x1b[H\x1b[J');
    if (!options.has('t'))
      await a.out(
        `Every ${(every / 1000).toFixed(1)}s: ${text}${' '.repeat(10)}${formatTime('%F %T', a.p.workload.clock.now())}\n\n`,
      );
    await runCommand(a, ['sh', '-c', text]);
    await a.p.sleep(every);
  }
}

/** uptime */
export async function uptime(a: Applet): Promise<number> {
  const { clock, machine } = a.p.workload;
  const minutes = Math.floor((clock.now() - machine.bootedAt) / 60_000);
  const dayCount = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const span =
    hours > 0 ? `${String(hours).padStart(2)}:${String(minutes % 60).padStart(2, '0')}` : `${minutes % 60} min`;
  await a.out(
    ` ${formatTime('%T', clock.now())} up ${dayCount > 0 ? `${dayCount} day${dayCount > 1 ? 's' : ''}, ` : ''}${span},  load average: 0.10, 0.08, 0.05\n`,
  );
  return 0;
}
