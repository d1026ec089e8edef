import type { V1Pod, V1Service } from '../api/generated/types.ts';
import type { SpanSink, Step } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { MachineInfo, NodeRuntime } from '../runtime/node-runtime.ts';
import type { DueQueue } from './due-queue.ts';
import type { ImageManager } from './images/image-manager.ts';
import type { ObjectCache } from './object-cache.ts';
import type { CrashBackoff } from './pods/crash-backoff.ts';
import type { DnsConfig } from './pods/dns.ts';
import type { ProbeManager } from './probes/probe-manager.ts';
import type { ResourceList } from './quantity.ts';
import type { StatusManager } from './status/status-manager.ts';
import type { VolumeManager } from './volumes/volume-manager.ts';

/** What the parts of one kubelet share. */
export interface KubeletContext {
  readonly nodeName: string;
  readonly node: NodeRuntime;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  readonly rootDir: string;
  readonly podLogsDir: string;
  /** Below which the groups of pods are; '' = the top. */
  readonly cgroupRoot: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly machine: MachineInfo;
  readonly hostIps: readonly string[];
  /** `containerd`: the scheme of container ids. */
  readonly runtimeName: string;
  readonly objects: ObjectCache;
  readonly images: ImageManager;
  readonly probes: ProbeManager;
  readonly status: StatusManager;
  readonly volumes: VolumeManager;
  readonly crashes: CrashBackoff;
  readonly due: DueQueue;
  allocatable(): ResourceList;
  /** What all burstable pods here ask of the CPU, in thousandths. */
  burstableCpu(): number;
  /** The node's own resolver configuration. */
  hostDns(): Promise<DnsConfig>;
  services(): Promise<readonly V1Service[]>;
  /** The runtime handler of a RuntimeClass; '' for none. Rejects when the class does not exist. */
  runtimeHandler(className: string | undefined): Promise<string>;
  /** Why pods with their own network cannot start; undefined when they can. */
  networkError(): string | undefined;
}

/** Records an event about a pod, or about one of its containers. */
export function podEvent(
  context: KubeletContext,
  pod: V1Pod,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  fieldPath?: string,
): void {
  context.events.event(
    { apiVersion: 'v1', kind: 'Pod', ...(pod.metadata && { metadata: pod.metadata }) },
    type,
    reason,
    message,
    {
      ...(fieldPath !== undefined && { fieldPath }),
    },
  );
}

/** Records a span about a pod that ends now. */
export function podSpan(
  context: KubeletContext,
  pod: V1Pod,
  step: Step,
  what: string,
  start: number,
  more: { readonly error?: string; readonly attributes?: Readonly<Record<string, string | number | boolean>> } = {},
): void {
  context.spans.record({
    step,
    what,
    component: `kubelet/${context.nodeName}`,
    subject: {
      resource: 'pods',
      ...(pod.metadata?.namespace !== undefined && { namespace: pod.metadata.namespace }),
      name: pod.metadata?.name ?? '',
      ...(pod.metadata?.uid !== undefined && { uid: pod.metadata.uid }),
    },
    start,
    end: context.clock.now(),
    ...more,
  });
}
