import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import type { NetNamespace } from '../net/net-namespace.ts';
import type { MountSpace } from '../vfs/mount-space.ts';
import type { Cgroup } from './cgroup.ts';
import type { Process } from './process.ts';

/**
 * A program of a simulated image: runs in a process of its own and returns its exit code. Everything it does goes through
 * `p`: files, streams, signals, sockets, time. It is abandoned, not unwound, when the process is killed.
 */
export type Program = (p: Process) => number | Promise<number>;

/** Programs by the name that executable files carry (see vfs/image-tree.ts). */
export interface ProgramTable {
  find(name: string): Program | (() => Promise<Program>) | undefined;
}

/** A PID namespace. */
export interface PidNamespace {
  readonly processes: Map<number, Process>;
  nextPid: number;
  /** PID 1 is a sandbox's pause process that reaps, not one of the container's. */
  readonly hasPause: boolean;
}

export function createPidNamespace(hasPause = false): PidNamespace {
  return { processes: new Map(), nextPid: hasPause ? 2 : 1, hasPause };
}

/** What processes of one container have in common. */
export interface Workload {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly cgroup: Cgroup;
  readonly pids: PidNamespace;
  readonly space: MountSpace;
  readonly net: NetNamespace;
  readonly programs: ProgramTable;
  readonly machine: {
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly bootedAt: number;
    readonly kernelVersion: string;
    readonly nodeName: string;
    readonly architecture: string;
  };
  readonly privileged: boolean;
  readonly noNewPrivs: boolean;
  readonly capabilities: ReadonlySet<string>;
  readonly seccomp: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  readonly sysctls: Readonly<Record<string, string>>;
  /** The image's repository without registry (`nginx`), for programs that differ by it. */
  readonly image: string;
}
