import type { V1Container, V1Pod, V1PodCondition } from '../../api/generated/types.ts';
import type { Loose } from '../draft.ts';

type AnyPod = V1Pod | Loose<V1Pod>;

/** The condition of this type, where the pod has it. */
export function podCondition(pod: AnyPod, type: string): Loose<V1PodCondition> | undefined {
  return (pod as Loose<V1Pod>).status?.conditions?.find((it) => it.type === type);
}

/** Whether the pod's Ready condition is True. */
export const isPodReady = (pod: AnyPod): boolean => podCondition(pod, 'Ready')?.status === 'True';

/** Whether the pod has run its course: phase Succeeded or Failed. */
export const podIsTerminal = (pod: AnyPod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export interface ContainerPlace {
  readonly container: Loose<V1Container>;
  readonly type: 'init' | 'main' | 'ephemeral';
  /** `spec.initContainers[0]`. */
  readonly path: string;
}

/** Every container of a pod spec: init containers, containers, ephemeral containers. `root` is the path of the spec. */
export function containersOf(pod: AnyPod, root = 'spec'): ContainerPlace[] {
  const spec = (pod as Loose<V1Pod>).spec ?? {};
  const place =
    (type: ContainerPlace['type'], list: string) =>
    (container: Loose<V1Container>, i: number): ContainerPlace => ({ container, type, path: `${root}.${list}[${i}]` });
  return [
    ...(spec.initContainers ?? []).map(place('init', 'initContainers')),
    ...(spec.containers ?? []).map(place('main', 'containers')),
    ...((spec.ephemeralContainers ?? []) as Loose<V1Container>[]).map(place('ephemeral', 'ephemeralContainers')),
  ];
}
