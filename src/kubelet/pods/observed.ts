import type { V1Container, V1Pod } from '../../api/generated/types.ts';
import type { LinuxResources } from '../../runtime/cri.ts';

export type ContainerStateName = 'created' | 'running' | 'exited' | 'unknown';

/** A container as the runtime has it, with what the kubelet wrote on it. */
export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly state: ContainerStateName;
  /** Epoch milliseconds, 0 = not yet. */
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** Of the spec it was made from; a different one means the spec has changed. */
  readonly hash: string;
  readonly restartCount: number;
  readonly image: string;
  readonly imageRef: string;
  readonly logPath: string;
  readonly resources?: LinuxResources;
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
}

export interface ObservedSandbox {
  readonly id: string;
  readonly ready: boolean;
  readonly attempt: number;
  readonly createdAt: number;
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

/** All that the runtime has of one pod; newest first in both lists. */
export interface ObservedPod {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
  /** Of the newest ready sandbox. */
  readonly ips: readonly string[];
}

export const nothingObserved: ObservedPod = { sandboxes: [], containers: [], ips: [] };

/** The newest container with this name. */
export function findContainer(observed: ObservedPod, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.name === name);
}

/** `name_namespace(uid)`: how messages name a pod. */
export function formatPod(pod: V1Pod): string {
  return `${pod.metadata?.name}_${pod.metadata?.namespace}(${pod.metadata?.uid})`;
}

/** True for an init container that runs beside the others. */
export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === 'Always';
}

export function isHostNetwork(pod: V1Pod): boolean {
  return pod.spec?.hostNetwork === true;
}

/** An ephemeral container with the shape of a regular one. */
export function ephemeralAsContainer(
  container: NonNullable<NonNullable<V1Pod['spec']>['ephemeralContainers']>[number],
): V1Container {
  return container as unknown as V1Container;
}

/** Init, regular and ephemeral containers, in this order. */
export function allContainers(pod: V1Pod): readonly V1Container[] {
  return [
    ...(pod.spec?.initContainers ?? []),
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.ephemeralContainers ?? []).map(ephemeralAsContainer),
  ];
}

export function containerSpec(pod: V1Pod, name: string): V1Container | undefined {
  return allContainers(pod).find((container) => container.name === name);
}

/** `spec.containers{web}`: where an event about a container points. */
export function containerFieldPath(pod: V1Pod, name: string): string {
  if (pod.spec?.initContainers?.some((it) => it.name === name)) return `spec.initContainers{${name}}`;
  if (pod.spec?.ephemeralContainers?.some((it) => it.name === name)) return `spec.ephemeralContainers{${name}}`;
  return `spec.containers{${name}}`;
}

/** FNV-1a over what a running container cannot change: its name and image. */
export function hashContainer(container: V1Container): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify({ image: container.image ?? '', name: container.name })))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16);
}

/** A pod of a file, not of the API server. */
export function isStaticPod(pod: V1Pod): boolean {
  const source = pod.metadata?.annotations?.['kubernetes.io/config.source'];
  return source !== undefined && source !== 'api';
}

/** The API server's copy of a static pod. */
export function isMirrorPod(pod: V1Pod): boolean {
  return pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
