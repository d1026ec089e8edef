import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * The container runtime's interface, after the Kubernetes CRI v1 (k8s.io/cri-api, runtime/v1/api.proto) with the same
 * names and meanings in camelCase. Differences: streams are handed over as Node streams instead of URLs, and times are
 * epoch milliseconds. Errors are `CriError` with the gRPC code that containerd gives for the same mistake.
 */
export type CriCode =
  | 'InvalidArgument'
  | 'NotFound'
  | 'AlreadyExists'
  | 'FailedPrecondition'
  | 'DeadlineExceeded'
  | 'Unavailable'
  | 'Unimplemented'
  | 'Unknown';

/** A refusal of the runtime. `message` is the runtime's text; the kubelet shows `rpc error: code = <code> desc = <message>`. */
export class CriError extends Error {
  override readonly name = 'CriError';
  readonly code: CriCode;
  constructor(code: CriCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';

export interface NamespaceOptions {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  /** For pid TARGET: the container whose processes are seen. */
  readonly targetId?: string;
}

export interface PodSandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp: string;
}

export interface SecurityProfile {
  readonly profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  readonly localhostRef: string;
}

export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dnsConfig?: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupParent: string;
    readonly sysctls: Readonly<Record<string, string>>;
    readonly securityContext: {
      readonly namespaceOptions: NamespaceOptions;
      readonly runAsUser?: number;
      readonly runAsGroup?: number;
      readonly supplementalGroups: readonly number[];
      readonly privileged: boolean;
      readonly seccomp: SecurityProfile;
      readonly readonlyRootfs: boolean;
    };
    readonly resources?: LinuxResources;
    readonly overhead?: LinuxResources;
  };
}

export interface PodSandboxStatus {
  readonly id: string;
  readonly metadata: PodSandboxMetadata;
  readonly state: 'READY' | 'NOTREADY';
  readonly createdAt: number;
  /** Empty while there is no address; first the primary one. */
  readonly ips: readonly string[];
  readonly namespaceOptions: NamespaceOptions;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly runtimeHandler: string;
}

export interface LinuxResources {
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  /** Bytes; 0 or absent = none. */
  readonly memoryLimitInBytes?: number;
  readonly oomScoreAdj?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  /** cgroup v2 keys, e.g. memory.high. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly containerPath: string;
  /** A path in the node's files (see node-files.ts). */
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly recursiveReadOnly?: boolean;
  readonly selinuxRelabel?: boolean;
  readonly propagation: 'PRIVATE' | 'HOST_TO_CONTAINER' | 'BIDIRECTIONAL';
  /** An image volume: mounts this image's files instead of hostPath. */
  readonly image?: ImageSpec;
  readonly imageSubPath?: string;
}

export interface ContainerSecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly privileged: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsUsername?: string;
  readonly supplementalGroups: readonly number[];
  readonly supplementalGroupsPolicy?: 'Merge' | 'Strict';
  readonly readonlyRootfs: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly noNewPrivs: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp: SecurityProfile;
  readonly apparmor?: SecurityProfile;
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: ImageSpec;
  /** Overrides the image's entrypoint when not empty. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly permissions: string;
  }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's logDirectory. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly stopSignal?: string;
  readonly linux: { readonly resources: LinuxResources; readonly securityContext: ContainerSecurityContext };
}

export type ContainerState = 'CREATED' | 'RUNNING' | 'EXITED' | 'UNKNOWN';

export interface ContainerSummary {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: ImageSpec;
  readonly imageRef: string;
  readonly state: ContainerState;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerStatus extends ContainerSummary {
  /** Epoch milliseconds, 0 = not yet. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerCannotRun`; '' while running. */
  readonly reason: string;
  readonly message: string;
  /** Absolute. */
  readonly logPath: string;
  readonly mounts: readonly Mount[];
  readonly resources?: LinuxResources;
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
}

export interface ContainerStats {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly labels: Readonly<Record<string, string>>;
  readonly timestamp: number;
  readonly cpuUsageCoreNanoSeconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly memoryRssBytes: number;
  /** Bytes and inodes of the writable layer. */
  readonly rootfsUsedBytes: number;
  readonly rootfsUsedInodes: number;
}

/** Sent when it happens; a consumer relists after a gap. */
export interface ContainerEvent {
  readonly type: 'CREATED' | 'STARTED' | 'STOPPED' | 'DELETED' | 'SANDBOX';
  /** '' for an event of the sandbox itself. */
  readonly containerId: string;
  readonly podSandboxId: string;
  readonly podUid: string;
  readonly at: number;
}

/** A process whose streams are ours. */
export interface StreamSession {
  /** Null where not asked for. Ending it is end-of-file for the process. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** Null with a terminal: everything comes on stdout. */
  readonly stderr: Readable | null;
  resize(width: number, height: number): void;
  /** Resolves when the process has ended and its output is complete; attach: when it detaches. Rejects with CriError. */
  readonly exit: Promise<{ readonly exitCode: number }>;
  /** Lets go: closes the streams, and for exec kills the process. */
  close(): void;
}

export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface ContainerFilter {
  readonly id?: string;
  readonly podSandboxId?: string;
  readonly state?: ContainerState;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RuntimeVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface RuntimeCondition {
  readonly type: 'RuntimeReady' | 'NetworkReady';
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeService {
  version(): Promise<RuntimeVersion>;
  status(): Promise<{ readonly conditions: readonly RuntimeCondition[]; readonly runtimeHandlers: readonly string[] }>;
  /** The node's pod range, once known. */
  updateRuntimeConfig(podCidr: string): Promise<void>;
  runPodSandbox(config: PodSandboxConfig, runtimeHandler: string): Promise<string>;
  /** Idempotent: kills what runs in it and takes its network down. */
  stopPodSandbox(id: string): Promise<void>;
  /** Idempotent. */
  removePodSandbox(id: string): Promise<void>;
  podSandboxStatus(id: string): Promise<PodSandboxStatus>;
  listPodSandbox(filter?: {
    readonly id?: string;
    readonly labels?: Readonly<Record<string, string>>;
  }): Promise<readonly PodSandboxStatus[]>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** TERM (or the stop signal), then KILL after `timeoutSeconds`. Resolves when it has stopped. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(filter?: ContainerFilter): Promise<readonly ContainerSummary[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  updateContainerResources(id: string, resources: LinuxResources): Promise<void>;
  /** After the log file has been moved away: the runtime opens a new one. */
  reopenContainerLog(id: string): Promise<void>;
  /** Runs to the end; output is capped at 16 MiB. DeadlineExceeded after `timeoutSeconds` (0 = none). */
  execSync(
    id: string,
    command: readonly string[],
    timeoutSeconds: number,
  ): Promise<{ readonly stdout: Buffer; readonly stderr: Buffer; readonly exitCode: number }>;
  exec(id: string, command: readonly string[], options: StreamOptions): Promise<StreamSession>;
  attach(id: string, options: StreamOptions): Promise<StreamSession>;
  /** A connection to a port inside the pod's network namespace. */
  portForward(sandboxId: string, port: number): Promise<Duplex>;
  containerStats(filter?: ContainerFilter): Promise<readonly ContainerStats[]>;
  /** Ends when the signal is aborted or the runtime goes away (then throws Unavailable). */
  events(signal: AbortSignal): AsyncIterable<ContainerEvent>;
}

export interface ImageSpec {
  /** As the pod names it, or an id. */
  readonly image: string;
}

export interface Image {
  /** `sha256:…` */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  readonly uid?: number;
  readonly username: string;
  readonly pinned: boolean;
}

export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface ImageService {
  listImages(): Promise<readonly Image[]>;
  /** Undefined when absent. */
  imageStatus(image: ImageSpec): Promise<Image | undefined>;
  /** The image's reference (`sha256:…` or `repo@sha256:…`). */
  pullImage(image: ImageSpec, auth: AuthConfig | undefined, sandbox: PodSandboxConfig): Promise<string>;
  removeImage(image: ImageSpec): Promise<void>;
  imageFsInfo(): Promise<{ readonly mountpoint: string; readonly usedBytes: number; readonly inodesUsed: number }>;
}
