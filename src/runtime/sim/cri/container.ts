import type { ContainerConfig, ContainerState, LinuxResources, PodSandboxConfig } from '../../cri.ts';
import type { ByteQueue } from '../kernel/pipe.ts';
import type { Process } from '../kernel/process.ts';
import type { Tty } from '../kernel/tty.ts';
import type { PidNamespace, Workload } from '../kernel/workload.ts';
import type { NetNamespace } from '../net/net-namespace.ts';
import type { ResolvedImage } from '../sim-registry.ts';
import type { FileSystem, Inode } from '../vfs/inode.ts';
import type { Credentials } from '../vfs/mount-space.ts';
import type { ContainerLog } from './container-log.ts';

/** A pod sandbox of the simulated runtime. */
export interface Sandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  readonly createdAt: number;
  ready: boolean;
  readonly net: NetNamespace;
  readonly hostNetwork: boolean;
  readonly ips: readonly string[];
  /** The pod's shared PID namespace, where it has one. */
  readonly pids: PidNamespace;
  /** /dev/shm, shared by the pod. */
  readonly shm: Inode;
  readonly containers: Set<Container>;
}

/** A container of the simulated runtime. */
export interface Container {
  readonly id: string;
  readonly sandbox: Sandbox;
  readonly config: ContainerConfig;
  readonly image: ResolvedImage;
  readonly createdAt: number;
  readonly workload: Workload;
  readonly rootFs: FileSystem;
  readonly credentials: Credentials;
  readonly env: ReadonlyMap<string, string>;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly log: ContainerLog;
  resources: LinuxResources;
  state: ContainerState;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  message: string;
  oomKilled: boolean;
  logPath: string;
  init: Process | undefined;
  tty: Tty | undefined;
  stdin: ByteQueue | undefined;
  /** Told when it has exited. */
  readonly exited: Set<() => void>;
}
