import type { ImageService, LinuxResources, RuntimeService } from './cri.ts';
import type { NodeFiles } from './node-files.ts';

/** What the kubelet learns of the machine. */
export interface MachineInfo {
  readonly hostname: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly ephemeralBytes: number;
  readonly maxPids: number;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** `linux`. */
  readonly operatingSystem: string;
  /** Go's word: `amd64`, `arm64`. */
  readonly architecture: string;
  /** False where the machine does not enforce AppArmor profiles; absent = it does. */
  readonly appArmor?: boolean;
  /** The address other nodes and the API server reach it at. */
  readonly address: string;
}

/** Load of the machine as a whole, for eviction and stats. */
export interface MachineUsage {
  readonly timestamp: number;
  readonly cpuUsageCoreNanoSeconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryAvailableBytes: number;
  readonly pids: number;
}

/** How the kubelet opens connections for probes and hooks: from the node, into the pod network. */
export interface NodeDialer {
  /** Rejects with Node's connection errors (ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT) when it fails. */
  connect(host: string, port: number, signal: AbortSignal): Promise<import('node:stream').Duplex>;
}

/** All that a kubelet needs of its node, real or simulated. */
export interface NodeRuntime {
  readonly kind: 'containerd' | 'sim';
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  readonly files: NodeFiles;
  readonly dialer: NodeDialer;
  machine(): Promise<MachineInfo>;
  usage(): Promise<MachineUsage>;
  /** The groups in which the node holds its pods to their resources; absent where there are none. Paths begin with a slash. */
  readonly cgroups?: {
    ensure(path: string, resources: LinuxResources): Promise<void>;
    remove(path: string): Promise<void>;
    processes(path: string): Promise<readonly number[]>;
  };
  /** Stops what it started itself; containers of a real runtime go on running. */
  close(): Promise<void>;
}
