import type { Clock } from '../../../base/clock.ts';
import type { Process } from './process.ts';

/** Simulated CPU microseconds that may be used at once before pace is kept. */
const burst = 20_000;

/** Work that all processes of a network share: how long since the event loop had a turn, how many loops spin. */
export interface Pacer {
  readonly clock: Clock;
  steps: number;
  spinning: number;
}

/** A container's account of CPU and memory with its limits (cgroup v2). */
export interface Cgroup {
  readonly pacer: Pacer;
  /** Bytes, 0 = no limit. */
  memoryLimit: number;
  /** Cores, 0 = no limit. */
  cpuLimit: number;
  cpuPeriod: number;
  cpuShares: number;
  pidsLimit: number;
  oomScoreAdj: number;
  /** All processes go when one is out of memory (memory.oom.group). */
  oomGroup: boolean;
  readonly members: Set<Process>;
  /** Memory that belongs to no process: files of memory file systems. */
  cache: number;
  peak: number;
  oomKills: number;
  onOom?: () => void;
  /** Simulated microseconds ahead of the pace. */
  spent: number;
  stamp: number;
  cpuMicros: number;
  waiting: number;
  /** Processes that do nothing but use the CPU, and since when that is accounted. */
  hogs: number;
  hogStamp: number;
  throttledMicros: number;
}

export function createCgroup(pacer: Pacer): Cgroup {
  const now = pacer.clock.monotonic();
  return {
    pacer,
    memoryLimit: 0,
    cpuLimit: 0,
    cpuPeriod: 100_000,
    cpuShares: 1024,
    pidsLimit: 0,
    oomScoreAdj: 0,
    oomGroup: false,
    members: new Set(),
    cache: 0,
    peak: 0,
    oomKills: 0,
    spent: 0,
    stamp: now,
    cpuMicros: 0,
    waiting: 0,
    hogs: 0,
    hogStamp: now,
    throttledMicros: 0,
  };
}

/** Bytes in use. */
export function memoryOf(cgroup: Cgroup): number {
  let total = cgroup.cache;
  for (const process of cgroup.members) total += process.rss;
  return total;
}

/** Adds what the hogs have used since the last look. */
export function settleCpu(cgroup: Cgroup): number {
  const now = cgroup.pacer.clock.monotonic();
  if (cgroup.hogs > 0) {
    const elapsed = (now - cgroup.hogStamp) * 1000;
    const cores = cgroup.cpuLimit > 0 ? Math.min(cgroup.hogs, cgroup.cpuLimit) : cgroup.hogs;
    cgroup.cpuMicros += elapsed * cores;
    cgroup.throttledMicros += elapsed * (cgroup.hogs - cores);
  }
  cgroup.hogStamp = now;
  return cgroup.cpuMicros;
}

/** One more (or fewer) process that spins. */
export function addHogs(cgroup: Cgroup, count: number): void {
  settleCpu(cgroup);
  cgroup.hogs = Math.max(0, cgroup.hogs + count);
}

/**
 * Accounts work. Answers the milliseconds that the process has to wait to keep its pace: 0 to go on, a negative number to
 * give the event loop a turn first.
 */
export function useCpu(cgroup: Cgroup, micros: number): number {
  const { pacer } = cgroup;
  // Many spinning containers share what a machine can interpret: each step then stands for more.
  const cost = pacer.spinning > 4 ? (micros * pacer.spinning) / 4 : micros;
  cgroup.cpuMicros += cost;
  cgroup.spent += cost;
  if (cgroup.spent > burst) {
    const now = pacer.clock.monotonic();
    const rate = pace(cgroup);
    cgroup.spent = Math.max(0, cgroup.spent - (now - cgroup.stamp) * 1000 * rate);
    cgroup.stamp = now;
    if (cgroup.spent > burst) return Math.max(1, (cgroup.spent - burst / 2) / rate / 1000);
  }
  return ++pacer.steps >= 256 ? -1 : 0;
}

const pace = (cgroup: Cgroup): number => {
  const runnable = Math.max(1, cgroup.waiting);
  return cgroup.cpuLimit > 0 ? Math.min(runnable, cgroup.cpuLimit) : runnable;
};

/**
 * Whether `bytes` more fit. When they do not, the kernel's OOM killer has run: the biggest process (or all of them) is dead.
 * False when `asker` itself died.
 */
export function chargeMemory(cgroup: Cgroup, bytes: number, asker: Process | undefined): boolean {
  const total = memoryOf(cgroup) + bytes;
  cgroup.peak = Math.max(cgroup.peak, Math.min(total, cgroup.memoryLimit || total));
  if (bytes <= 0 || cgroup.memoryLimit === 0 || total <= cgroup.memoryLimit) return true;
  let left = total;
  const asking = asker ? asker.rss + bytes : 0;
  while (left > cgroup.memoryLimit && cgroup.members.size > 0) {
    const weight = (process: Process): number => (process === asker ? asking : process.rss);
    const victims = cgroup.oomGroup
      ? [...cgroup.members]
      : [[...cgroup.members].reduce((worst, process) => (weight(process) > weight(worst) ? process : worst))];
    cgroup.oomKills++;
    cgroup.onOom?.();
    for (const victim of victims) {
      left -= weight(victim);
      cgroup.members.delete(victim);
      victim.terminate('KILL');
    }
  }
  return asker?.alive ?? true;
}
