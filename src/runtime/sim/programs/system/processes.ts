import { memoryOf, settleCpu } from '../../kernel/cgroup.ts';
import type { Process } from '../../kernel/process.ts';
import { parseSignal, type Signal } from '../../kernel/signals.ts';
import { killCommand } from '../../shell/builtins.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { humanSize } from '../files/ls.ts';
import { readNames } from '../names.ts';
import { formatTime } from './time.ts';

const all = (a: Applet): Process[] => [...a.p.workload.pids.processes.values()].sort((x, y) => x.pid - y.pid);

const commandLine = (p: Process): string => (p.alive && p.argv.length > 0 ? p.argv.join(' ') : `[${p.comm}]`);

const state = (p: Process, self: Process): string => (p === self ? 'R' : p.state);

/** ps: busybox's columns, or those of procps with aux and -ef. */
export async function ps(a: Applet): Promise<number> {
  const names = readNames(a.p);
  const processes = all(a);
  const user = (p: Process): string => names.user(p.credentials.uid) ?? String(p.credentials.uid);
  const format = formatOf(a.args);
  if (format) return custom(a, processes, format, user);
  if (a.flavour === 'busybox') {
    await a.out('PID   USER     TIME  COMMAND\n');
    for (const p of processes)
      await a.out(
        `${String(p.pid).padStart(5)} ${user(p).slice(0, 8).padEnd(8)} ${clockTime(p, ' 0:00').padStart(5)} ${commandLine(p)}\n`,
      );
    return 0;
  }
  const words = a.args.join('');
  const start = (p: Process): string => formatTime('%H:%M', p.startedAt);
  const span = (p: Process): string => `00:${clockTime(p, '').padStart(5, '0')}`;
  if (/e.*f|f.*e/.test(words)) {
    await a.out('UID          PID    PPID  C STIME TTY          TIME CMD\n');
    for (const p of processes)
      await a.out(
        `${user(p).padEnd(8)} ${String(p.pid).padStart(7)} ${String(p.parent?.pid ?? 0).padStart(7)}  0 ${start(p)} ${p.tty ? 'pts/0' : '?'}    ${' '.repeat(p.tty ? 0 : 4)}${span(p)} ${commandLine(p)}\n`,
      );
  } else if (/a.*u.*x|u/.test(words)) {
    const { memoryBytes } = a.p.workload.machine;
    await a.out('USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n');
    for (const p of processes)
      await a.out(
        `${user(p).padEnd(8)} ${String(p.pid).padStart(7)}  0.0 ${((p.rss * 100) / memoryBytes).toFixed(1).padStart(4)} ${String(Math.ceil(p.rss / 512)).padStart(6)} ${String(Math.ceil(p.rss / 1024)).padStart(5)} ${(p.tty ? 'pts/0' : '?').padEnd(8)} ${(p.pid === 1 ? `${state(p, a.p)}s` : state(p, a.p)).padEnd(4)} ${start(p)}   ${clockTime(p, '').slice(-4)} ${commandLine(p)}\n`,
      );
  } else {
    await a.out('    PID TTY          TIME CMD\n');
    for (const p of processes.filter((one) => /[eAax]/.test(words) || one.tty === a.p.tty))
      await a.out(
        `${String(p.pid).padStart(7)} ${(p.tty ? 'pts/0' : '?').padEnd(8)} ${span(p)} ${p.comm}${p.alive ? '' : ' <defunct>'}\n`,
      );
  }
  return 0;
}

function clockTime(p: Process, _pad: string): string {
  const seconds = Math.floor(p.cpuMicros / 1_000_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function formatOf(args: readonly string[]): readonly string[] | undefined {
  const at = args.findIndex((word) => /^-?[a-zA-Z]*o/.test(word));
  if (at < 0) return undefined;
  const attached = /^-?[a-zA-Z]*o(.+)$/.exec(args[at] ?? '')?.[1];
  return (attached ?? args[at + 1] ?? '').split(',').map((word) => word.replace(/=.*/, ''));
}

async function custom(
  a: Applet,
  processes: readonly Process[],
  columns: readonly string[],
  user: (p: Process) => string,
): Promise<number> {
  const value = (p: Process, column: string): string => {
    switch (column) {
      case 'pid':
        return String(p.pid);
      case 'ppid':
        return String(p.parent?.pid ?? 0);
      case 'pgid':
        return String(p.pgid);
      case 'user':
      case 'ruser':
        return user(p);
      case 'uid':
        return String(p.credentials.uid);
      case 'gid':
        return String(p.credentials.gid);
      case 'group':
        return readNames(a.p).group(p.credentials.gid) ?? String(p.credentials.gid);
      case 'comm':
        return p.comm;
      case 'args':
      case 'cmd':
      case 'command':
        return commandLine(p);
      case 'stat':
      case 's':
        return state(p, a.p);
      case 'time':
        return clockTime(p, '');
      case 'rss':
        return String(Math.ceil(p.rss / 1024));
      case 'vsz':
        return String(Math.ceil(p.rss / 512));
      case 'tty':
        return p.tty ? 'pts/0' : '?';
      case 'etime':
        return '00:00';
      case 'nice':
        return '0';
      default:
        throw new Failure(
          a.flavour === 'busybox'
            ? `bad -o argument '${column}', supported arguments: user,group,comm,args,pid,ppid,pgid,etime,nice,rgroup,ruser,time,tty,vsz,stat,rss`
            : `error: unknown user-defined format specifier "${column}"`,
        );
    }
  };
  const title = (column: string): string =>
    ({ args: 'COMMAND', comm: 'COMMAND', cmd: 'CMD', command: 'COMMAND', s: 'S' })[column] ?? column.toUpperCase();
  const rows = [columns.map(title), ...processes.map((p) => columns.map((column) => value(p, column)))];
  const numeric = (column: string): boolean => /^(pid|ppid|pgid|uid|gid|rss|vsz)$/.test(column);
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  for (const row of rows)
    await a.out(
      `${row.map((cell, index) => (numeric(columns[index] ?? '') ? cell.padStart(widths[index] ?? 0) : index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(' ')}\n`,
    );
  return 0;
}

/** kill, outside of a shell. */
export async function kill(a: Applet): Promise<number> {
  return killCommand(a.p, [a.name, ...a.args], async (text) => {
    if (a.flavour === 'gnu') {
      const absent = /^can't kill pid (-?\d+): (.*)$/.exec(text);
      return a.warn(absent ? `(${absent[1]}): ${absent[2]}` : text);
    }
    return a.warn(text);
  });
}

/** The processes with a name: of their program, or of the script that an interpreter runs. */
const named = (a: Applet, name: string): Process[] =>
  all(a).filter(
    (p) =>
      p.alive && p !== a.p && (p.comm === name.slice(0, 15) || p.argv[0]?.split('/').pop() === name || p.exe === name),
  );

/** killall [-SIGNAL] [-q] NAME… */
export async function killall(a: Applet): Promise<number> {
  let signal: Signal = 'TERM';
  let quiet = false;
  const rest: string[] = [];
  for (const word of a.args) {
    if (word === '-q') quiet = true;
    else if (/^-./.test(word)) {
      const parsed = parseSignal(word.replace(/^-s?/, ''));
      if (!parsed) throw new Failure(`bad signal name '${word.slice(1)}'`);
      signal = parsed;
    } else rest.push(word);
  }
  if (rest.length === 0) throw new Failure('you need to specify whom to kill');
  let status = 0;
  for (const name of rest) {
    const found = named(a, name);
    if (found.length === 0)
      status = quiet
        ? 1
        : await a.warn(
            a.flavour === 'gnu'
              ? `${name}: no process found`.replace(/^.*$/, `${name}: no process found`)
              : `${name}: no process killed`,
          );
    for (const p of found) p.signal(signal);
  }
  return status;
}

/** pidof [-s] NAME… */
export async function pidof(a: Applet): Promise<number> {
  const options = a.options('so:x');
  const found = options.rest.flatMap((name) => named(a, name).map((p) => p.pid)).reverse();
  if (found.length === 0) return 1;
  await a.out(`${(options.has('s') ? found.slice(0, 1) : found).join(' ')}\n`);
  return 0;
}

/** pgrep, pkill [-f] [-x] [-l] [-SIGNAL] PATTERN */
export async function pgrep(a: Applet): Promise<number> {
  const signalWord = a.args.find((word) => /^-([A-Z]{2,}|\d+)$/.test(word));
  const options = a.options(
    'flxvnoau:P:',
    { full: 'f', exact: 'x', signal: 's:' },
    a.args.filter((word) => word !== signalWord),
  );
  const signal = signalWord === undefined ? 'TERM' : parseSignal(signalWord.slice(1));
  const [pattern] = options.rest;
  if (pattern === undefined || signal === undefined) throw usage(a);
  const regex = new RegExp(options.has('x') ? `^(?:${pattern})$` : pattern);
  const found = all(a).filter(
    (p) => p.alive && p !== a.p && regex.test(options.has('f') ? commandLine(p) : p.comm) !== options.has('v'),
  );
  const kept = options.has('n') ? found.slice(-1) : options.has('o') ? found.slice(0, 1) : found;
  for (const p of kept) {
    if (a.name === 'pkill') p.signal(signal);
    else await a.out(`${p.pid}${options.has('l') ? ` ${p.comm}` : options.has('a') ? ` ${commandLine(p)}` : ''}\n`);
  }
  return kept.length > 0 ? 0 : 1;
}

/** top -b -n N */
export async function top(a: Applet): Promise<number> {
  const options = a.options('bn:d:mHp:o:c');
  const rounds = options.has('n') ? a.number(options.value('n') ?? '1') : Number.POSITIVE_INFINITY;
  const names = readNames(a.p);
  const { machine, cgroup } = a.p.workload;
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await a.p.sleep((Number(options.value('d')) || 5) * 1000);
    settleCpu(cgroup);
    const kib = (bytes: number): number => Math.floor(bytes / 1024);
    const used = machine.memoryBytes * 0.4 + memoryOf(cgroup);
    await a.out(
      `${options.has('b') ? '' : '\x1b[H\x1b[J'}Mem: ${kib(used)}K used, ${kib(machine.memoryBytes - used)}K free, ${kib(cgroup.cache)}K shrd, ${kib(machine.memoryBytes * 0.02)}K buff, ${kib(machine.memoryBytes * 0.18)}K cached\n` +
        `CPU:   1% usr   1% sys   0% nic  98% idle   0% io   0% irq   0% sirq\nLoad average: 0.10 0.08 0.05 1/${a.p.workload.pids.processes.size} ${a.p.pid}\n` +
        '  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n',
    );
    for (const p of all(a))
      await a.out(
        `${String(p.pid).padStart(5)} ${String(p.parent?.pid ?? 0).padStart(5)} ${(names.user(p.credentials.uid) ?? String(p.credentials.uid)).padEnd(8)} ${state(p, a.p)}    ${String(Math.ceil(p.rss / 512)).padStart(6)}   ${Math.round((p.rss * 200) / machine.memoryBytes)}%   0   0% ${commandLine(p)}\n`,
      );
    await a.flush();
  }
  return 0;
}

/** free [-bkmgh] */
export async function free(a: Applet): Promise<number> {
  const options = a.options('bkmghtw');
  const { machine, cgroup } = a.p.workload;
  const human = options.has('h');
  const unit = options.has('b') ? 1 : options.has('m') ? 1 << 20 : options.has('g') ? 1 << 30 : 1024;
  const show = (bytes: number): string => (human ? humanSize(bytes) : String(Math.floor(bytes / unit))).padStart(12);
  const own = memoryOf(cgroup);
  const { memoryBytes } = machine;
  const gnu = a.flavour === 'gnu';
  await a.out(`              total        used        free      shared  buff/cache   available\n`);
  await a.out(
    `${gnu ? 'Mem:   ' : 'Mem:   '}${[memoryBytes, memoryBytes * 0.2 + own, memoryBytes * 0.6 - own, cgroup.cache, memoryBytes * 0.2, memoryBytes * 0.8 - own].map(show).join('')}\n`,
  );
  await a.out(`Swap:  ${[0, 0, 0].map(show).join('')}\n`);
  return 0;
}
