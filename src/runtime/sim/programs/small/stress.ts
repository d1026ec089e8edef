import { fork } from '../../kernel/exec.ts';
import type { Process } from '../../kernel/process.ts';
import { durationMs } from '../system/time.ts';

interface Hogs {
  cpu: number;
  io: number;
  vm: number;
  hdd: number;
  bytes: number;
  hang: number | undefined;
  keep: boolean;
  timeoutMs: number;
  verbose: boolean;
  quiet: boolean;
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

function read(args: readonly string[]): Hogs | { readonly problem: string } {
  const hogs: Hogs = {
    cpu: 0,
    io: 0,
    vm: 0,
    hdd: 0,
    bytes: 256 << 20,
    hang: undefined,
    keep: false,
    timeoutMs: 0,
    verbose: false,
    quiet: false,
  };
  const words = args.flatMap((word) =>
    /^--[\w-]+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  );
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const value = (): string => words[++at] ?? '';
    const count = (): number => Number(value());
    switch (word) {
      case '-c':
      case '--cpu':
        hogs.cpu = count();
        break;
      case '-i':
      case '--io':
        hogs.io = count();
        break;
      case '-m':
      case '--vm':
        hogs.vm = count();
        break;
      case '-d':
      case '--hdd':
        hogs.hdd = count();
        break;
      case '--vm-bytes': {
        const match = /^(\d+)([bkmg]?)$/i.exec(value());
        if (!match) return { problem: `unrecognized option: ${word}` };
        hogs.bytes = Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1);
        break;
      }
      case '--vm-hang':
        hogs.hang = count();
        break;
      case '--vm-keep':
        hogs.keep = true;
        break;
      case '--vm-stride':
      case '--hdd-bytes':
      case '--backoff':
        at++;
        break;
      case '-t':
      case '--timeout':
        hogs.timeoutMs = durationMs(value()) ?? 0;
        break;
      case '-v':
      case '--verbose':
        hogs.verbose = true;
        break;
      case '-q':
      case '--quiet':
        hogs.quiet = true;
        break;
      default:
        return { problem: `unrecognized option: ${word}` };
    }
  }
  return hogs;
}

/** stress: workers that use CPU and memory; ends when one fails or the time is over. */
export async function stress(p: Process): Promise<number> {
  const args = p.argv.slice(1);
  if (args.length === 0 || args[0] === '--help' || args[0] === '-?') {
    await p.print(
      "`stress' imposes certain types of compute stress on your system\n\nUsage: stress [OPTION [ARG]] ...\n",
    );
    return args.length === 0 ? 0 : 0;
  }
  const hogs = read(args);
  const fail = async (text: string): Promise<number> => {
    await p.complain(`stress: FAIL: [${p.pid}] ${text}\n`);
    return 1;
  };
  if ('problem' in hogs) return fail(`(244) ${hogs.problem}`);
  const say = async (level: string, text: string): Promise<void> => {
    if (!hogs.quiet) await p.print(`stress: ${level}: [${p.pid}] ${text}\n`);
  };
  await say('info', `dispatching hogs: ${hogs.cpu} cpu, ${hogs.io} io, ${hogs.vm} vm, ${hogs.hdd} hdd`);
  const started = p.workload.clock.monotonic();
  const workers = new Set<Process>();
  const start = (work: (child: Process) => Promise<number>): void => {
    workers.add(fork(p, work));
  };
  const idle = (child: Process): Promise<number> => child.block(() => undefined).then(() => 0);
  for (let i = 0; i < hogs.cpu + hogs.io + hogs.hdd; i++)
    start((child) => {
      child.spin(1);
      return idle(child);
    });
  for (let i = 0; i < hogs.vm; i++)
    start(async (child) => {
      for (let left = hogs.bytes; left > 0; left -= 16 << 20) await child.allocate(Math.min(left, 16 << 20));
      if (hogs.hang === undefined) child.spin(1);
      return idle(child);
    });
  for (const name of ['TERM', 'INT'] as const)
    p.handle(name, () => {
      for (const worker of workers) worker.signal('TERM');
      void p.exit(name === 'TERM' ? 143 : 130);
    });
  const timer =
    hogs.timeoutMs > 0
      ? p.workload.clock.after(
          hogs.timeoutMs,
          () => {
            for (const worker of workers) worker.signal('ALRM');
          },
          { background: true },
        )
      : undefined;
  let failed = 0;
  while (workers.size > 0) {
    const done = await p.waitAny();
    p.reap(done);
    workers.delete(done);
    const signal = done.status?.signal;
    if (signal === undefined || signal === 'ALRM') continue;
    failed++;
    const number = (done.status?.code ?? 128) - 128;
    await p.complain(`stress: FAIL: [${p.pid}] (415) <-- worker ${done.pid} got signal ${number}\n`);
    await p.complain(`stress: WARN: [${p.pid}] (417) now reaping child worker processes\n`);
    for (const worker of workers) worker.signal('KILL', false);
  }
  timer?.cancel();
  const seconds = Math.round((p.workload.clock.monotonic() - started) / 1000);
  if (failed > 0) {
    await p.complain(`stress: FAIL: [${p.pid}] (451) failed run completed in ${seconds}s\n`);
    return 1;
  }
  await say('info', `successful run completed in ${seconds}s`);
  return 0;
}
