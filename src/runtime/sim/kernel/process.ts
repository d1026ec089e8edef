import type { Timer } from '../../../base/clock.ts';
import { SysError } from '../errno.ts';
import type { Credentials, Viewpoint } from '../vfs/mount-space.ts';
import { type OpenFlags, openInode } from '../vfs/operations.ts';
import { addHogs, chargeMemory, settleCpu, useCpu } from './cgroup.ts';
import { openSpecial } from './devices.ts';
import { type OpenFile, releaseFile } from './open-file.ts';
import { defaultAction, type Signal, signalNumbers } from './signals.ts';
import type { Tty } from './tty.ts';
import { type WaitQueue, waitQueue } from './wait-queue.ts';
import type { Workload } from './workload.ts';

/** How a process ended: a code, or the signal that killed it (then the code is 128 + its number). */
export interface ExitStatus {
  readonly code: number;
  readonly signal?: Signal;
}

interface Block {
  cancel(): void;
  interrupt?: () => void;
}

/** Prices of work in simulated microseconds of CPU. */
export const cost = { step: 5, syscall: 10, fork: 400, bytesPerMicro: 2000 } as const;

const never = new Promise<never>(() => undefined);

/**
 * A process. A class, because thousands of them share one set of methods; state is public to the kernel's own modules.
 * Signals act at once: a killed process is gone even while its program's code still awaits something, and whatever that
 * code asks for later never answers.
 */
export class Process {
  readonly workload: Workload;
  readonly pid: number;
  parent: Process | undefined;
  pgid: number;
  readonly startedAt: number;
  argv: readonly string[];
  comm: string;
  exe = '';
  env: Map<string, string>;
  cwd: string;
  umask = 0o022;
  credentials: Credentials;
  fds: (OpenFile | undefined)[] = [];
  handlers: Map<Signal, 'ignore' | (() => void)> | undefined;
  tty: Tty | undefined;
  /** Ignores the terminal's INT and QUIT: a background job. */
  background = false;
  rss = 0;
  cpuMicros = 0;
  state: 'R' | 'S' | 'T' | 'Z' = 'S';
  status: ExitStatus | undefined;
  readonly children = new Set<Process>();
  private blocks: Set<Block> | undefined;
  private stopped: { wakes: (() => void)[]; signals: Signal[] } | undefined;
  private hog = 0;
  private ended: WaitQueue | undefined;
  private childEnded: WaitQueue | undefined;
  private onExit: ((status: ExitStatus) => void)[] | undefined;

  constructor(workload: Workload, parent: Process | undefined, credentials: Credentials) {
    this.workload = workload;
    this.pid = workload.pids.nextPid++;
    this.parent = parent;
    this.pgid = parent?.pgid ?? this.pid;
    this.startedAt = workload.clock.now();
    this.argv = parent?.argv ?? [];
    this.comm = parent?.comm ?? '';
    this.exe = parent?.exe ?? '';
    this.env = new Map(parent?.env);
    this.cwd = parent?.cwd ?? '/';
    this.umask = parent?.umask ?? 0o022;
    this.tty = parent?.tty;
    this.background = parent?.background ?? false;
    this.credentials = credentials;
    workload.pids.processes.set(this.pid, this);
    workload.cgroup.members.add(this);
    parent?.children.add(this);
  }

  get alive(): boolean {
    return this.status === undefined;
  }

  /** Whether it is its PID namespace's init: signals without a handler do nothing to it. */
  get isInit(): boolean {
    return this.pid === 1;
  }

  get view(): Viewpoint {
    return { space: this.workload.space, credentials: this.credentials, cwd: this.cwd, caller: this };
  }

  /** Waits until woken; rejects with EINTR when a handled signal comes first and `interruptible`. */
  block(register: (wake: () => void) => (() => void) | undefined, interruptible = false): Promise<void> {
    if (!this.alive) return never;
    return new Promise((resolve, reject) => {
      let done = false;
      let undo: (() => void) | undefined;
      const finish = (): boolean => {
        if (done) return false;
        done = true;
        this.blocks?.delete(block);
        undo?.();
        return true;
      };
      const block: Block = { cancel: () => void finish() };
      if (interruptible)
        block.interrupt = () => {
          if (finish()) reject(new SysError('EINTR'));
        };
      this.blocks ??= new Set();
      this.blocks.add(block);
      undo = register(() => {
        if (!finish()) return;
        if (this.stopped) this.stopped.wakes.push(resolve);
        else resolve();
      });
      if (done) undo?.();
    });
  }

  /** Accounts CPU; a promise when the process must give way first. */
  work(micros: number = cost.step): Promise<void> | undefined {
    if (!this.alive) return never;
    this.cpuMicros += micros;
    const wait = useCpu(this.workload.cgroup, micros);
    if (wait === 0) return this.stopped ? this.block((wake) => void queueMicrotask(wake)) : undefined;
    const { pacer } = this.workload.cgroup;
    if (wait < 0) {
      return this.block((wake) => {
        const handle = setImmediate(() => {
          pacer.steps = 0;
          wake();
        });
        return () => clearImmediate(handle);
      });
    }
    return this.pace(wait);
  }

  private async pace(wait: number): Promise<void> {
    const { cgroup, clock } = this.workload;
    this.state = 'R';
    await this.block((wake) => {
      cgroup.waiting++;
      cgroup.pacer.spinning++;
      const timer = clock.after(wait, wake, { background: true });
      return () => {
        cgroup.waiting--;
        cgroup.pacer.spinning--;
        timer.cancel();
      };
    });
    if (this.state === 'R') this.state = 'S';
  }

  /** Uses `cores` of CPU from now on without doing anything (stress); 0 ends it. */
  spin(cores: number): void {
    addHogs(this.workload.cgroup, cores - this.hog);
    this.hog = cores;
    this.state = cores > 0 ? 'R' : 'S';
  }

  /** Takes memory; when the limit is met somebody dies, and if it is this process the promise never settles. */
  async allocate(bytes: number): Promise<void> {
    const wait = this.work(Math.max(1, bytes / cost.bytesPerMicro));
    if (wait) await wait;
    if (!chargeMemory(this.workload.cgroup, bytes, this)) return never;
    this.rss = Math.max(0, this.rss + bytes);
    return undefined;
  }

  /** Waits `ms` milliseconds. */
  sleep(ms: number, interruptible = false): Promise<void> {
    if (ms === Number.POSITIVE_INFINITY) return this.block(() => undefined, interruptible);
    return this.block((wake) => {
      const timer: Timer = this.workload.clock.after(ms, wake, { background: true });
      return () => timer.cancel();
    }, interruptible);
  }

  /** Awaits something outside of the simulation; gone with the process. */
  async outside<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await promise;
      return this.alive ? value : await never;
    } catch (error) {
      if (!this.alive) return never;
      throw error;
    }
  }

  /** Sets what a signal does; undefined restores the default. */
  handle(signal: Signal, action: 'ignore' | (() => void) | undefined): void {
    if (signal === 'KILL' || signal === 'STOP') return;
    this.handlers ??= new Map();
    if (action === undefined) this.handlers.delete(signal);
    else this.handlers.set(signal, action);
  }

  /** Delivers a signal. `inside` when it comes from the same PID namespace, against which init is protected. */
  signal(signal: Signal, inside = true): void {
    if (!this.alive) return;
    if (signal === 'KILL') {
      if (!(this.isInit && inside)) this.terminate('KILL');
      return;
    }
    if (signal === 'CONT') this.resume();
    if (this.stopped && signal !== 'CONT') {
      this.stopped.signals.push(signal);
      if (this.handlers?.get(signal) === undefined && defaultAction(signal) === 'terminate' && !this.isInit)
        this.resume();
      return;
    }
    const handler = this.handlers?.get(signal);
    if (handler === 'ignore') return;
    if (handler) {
      handler();
      for (const block of [...(this.blocks ?? [])]) block.interrupt?.();
      return;
    }
    if (this.isInit) return;
    const action = defaultAction(signal);
    if (action === 'terminate') this.terminate(signal);
    else if (action === 'stop') this.stop();
  }

  private stop(): void {
    this.stopped ??= { wakes: [], signals: [] };
    this.state = 'T';
    this.parent?.childEnded?.wake();
  }

  private resume(): void {
    const stopped = this.stopped;
    if (!stopped) return;
    this.stopped = undefined;
    this.state = 'S';
    for (const wake of stopped.wakes) wake();
    for (const signal of stopped.signals) this.signal(signal);
  }

  /** Ends by a signal, at once. */
  terminate(signal: Signal): void {
    this.end({ code: 128 + signalNumbers[signal], signal });
  }

  /** Ends with a code; never returns to the program. */
  exit(code: number): Promise<never> {
    this.end({ code: code & 255 });
    return never;
  }

  private end(status: ExitStatus): void {
    if (this.status) return;
    this.status = status;
    this.state = 'Z';
    if (this.hog > 0) this.spin(0);
    this.state = 'Z';
    for (const block of [...(this.blocks ?? [])]) block.cancel();
    this.blocks = undefined;
    this.handlers = undefined;
    this.stopped = undefined;
    settleCpu(this.workload.cgroup);
    this.workload.cgroup.members.delete(this);
    this.rss = 0;
    const files = this.fds;
    this.fds = [];
    for (const file of files) if (file) releaseFile(file);
    for (const child of this.children) {
      child.parent = undefined;
      if (!child.alive) this.workload.pids.processes.delete(child.pid);
    }
    this.children.clear();
    const parent = this.parent;
    if (!parent?.alive) this.workload.pids.processes.delete(this.pid);
    else {
      parent.childEnded?.wake();
      parent.signal('CHLD');
    }
    this.ended?.wake();
    for (const tell of this.onExit ?? []) tell(status);
  }

  /** Calls back when it has ended. */
  whenEnded(tell: (status: ExitStatus) => void): void {
    if (this.status) {
      tell(this.status);
      return;
    }
    this.onExit ??= [];
    this.onExit.push(tell);
  }

  /** Waits for a child and reaps it. EINTR when `interruptible` and a handled signal comes. */
  async wait(child: Process, interruptible = false): Promise<ExitStatus> {
    while (!child.status) {
      await this.block((wake) => {
        child.ended ??= waitQueue();
        return child.ended.add(wake);
      }, interruptible);
    }
    this.reap(child);
    return child.status;
  }

  /** Waits until any child has ended. */
  async waitAny(interruptible = false): Promise<Process> {
    for (;;) {
      if (this.children.size === 0) throw new SysError('ECHILD');
      for (const child of this.children) if (child.status) return child;
      await this.block((wake) => {
        this.childEnded ??= waitQueue();
        return this.childEnded.add(wake);
      }, interruptible);
    }
  }

  reap(child: Process): void {
    this.children.delete(child);
    this.workload.pids.processes.delete(child.pid);
  }

  /** The open file behind a descriptor; EBADF. */
  file(fd: number): OpenFile {
    const file = this.fds[fd];
    if (!file) throw new SysError('EBADF');
    return file;
  }

  /** Puts an open file at the lowest free descriptor (or at `fd`, closing what was there). */
  install(file: OpenFile, fd?: number): number {
    let at = fd;
    if (at === undefined) {
      at = 0;
      while (this.fds[at]) at++;
    }
    file.refs++;
    const before = this.fds[at];
    while (this.fds.length < at) this.fds.push(undefined);
    this.fds[at] = file;
    if (before) releaseFile(before);
    return at;
  }

  close(fd: number): void {
    const file = this.fds[fd];
    if (!file) return;
    this.fds[fd] = undefined;
    releaseFile(file);
  }

  /** open(2); without a descriptor. */
  openFile(path: string, flags: OpenFlags, mode = 0o666): OpenFile {
    const found = openInode(this.view, path, flags, mode & ~this.umask);
    return openSpecial(this, found.inode, found.path, flags);
  }

  /** open(2). */
  open(path: string, flags: OpenFlags, mode = 0o666): number {
    return this.install(this.openFile(path, flags, mode));
  }

  /** Bytes from a descriptor, or null at the end. */
  async read(fd: number, max = 65536, interruptible = false): Promise<Uint8Array | null> {
    const file = this.file(fd);
    if (!file.readable) throw new SysError('EBADF');
    for (;;) {
      const part = file.tryRead(max);
      if (part !== undefined) {
        const wait = this.work(cost.syscall + (part?.length ?? 0) / cost.bytesPerMicro);
        if (wait) await wait;
        return part;
      }
      await this.block((wake) => file.onReady('read', wake), interruptible);
    }
  }

  /** Writes everything. A pipe without a reader kills the process (SIGPIPE), unless handled: then EPIPE. */
  async write(fd: number, data: Uint8Array | string): Promise<void> {
    const file = this.file(fd);
    let rest = typeof data === 'string' ? Buffer.from(data) : data;
    if (!file.writable) throw new SysError('EBADF');
    do {
      let taken: number;
      try {
        taken = file.tryWrite(rest);
      } catch (error) {
        if (error instanceof SysError && error.code === 'EPIPE' && this.alive) {
          this.signal('PIPE');
          if (!this.alive) return never;
        }
        throw error;
      }
      if (taken === 0 && rest.length > 0) {
        // Nothing may come between the look and the wait, or a wake-up is missed.
        await this.block((wake) => file.onReady('write', wake));
        continue;
      }
      const wait = this.work(cost.syscall + taken / cost.bytesPerMicro);
      if (wait) await wait;
      rest = rest.subarray(taken);
    } while (rest.length > 0);
  }

  /** Writes to standard output. */
  print(text: string | Uint8Array): Promise<void> {
    return this.write(1, text);
  }

  /** Writes to standard error; nowhere to write is no error. */
  async complain(text: string): Promise<void> {
    if (this.fds[2]?.writable) await this.write(2, text);
  }

  /** Everything up to the end of the file; EFBIG beyond `limit` bytes (64 MiB). */
  async readAll(fd: number, limit = 1 << 26): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const part = await this.read(fd, 1 << 20);
      if (part === null) return Buffer.concat(parts);
      size += part.length;
      if (size > limit) {
        await this.allocate(part.length);
        if (size > limit * 8) throw new SysError('EFBIG');
      }
      parts.push(part);
    }
  }
}
