import type {
  V1Container,
  V1ContainerState,
  V1ContainerStateTerminated,
  V1ContainerStatus,
  V1Pod,
  V1PodSpec,
} from '../../api/generated/types.ts';
import { type Reference, referenceOf } from '../reference.ts';

/** A container of a pod: what was asked for and what became of it, side by side. */
export interface ContainerFacts {
  readonly name: string;
  readonly spec: V1Container;
  readonly status?: V1ContainerStatus;
  /** A sidecar is an init container with restartPolicy Always. */
  readonly role: 'main' | 'init' | 'sidecar' | 'ephemeral';
  /** `containers[0]`, below the pod's spec. */
  readonly path: string;
  /** The image of the status where known, else of the spec. */
  readonly image: string;
  readonly waiting?: NonNullable<V1ContainerState['waiting']>;
  readonly running?: NonNullable<V1ContainerState['running']>;
  readonly terminated?: V1ContainerStateTerminated;
  /** The newest end of it: the present state where it has ended, else the last one. */
  readonly lastEnd?: V1ContainerStateTerminated;
  readonly restarts: number;
}

/** A pod with what rules ask again and again. */
export interface PodFacts {
  readonly pod: V1Pod;
  readonly spec: V1PodSpec;
  readonly ref: Reference;
  readonly namespace: string;
  readonly containers: readonly ContainerFacts[];
  /** The outermost owner that was seen: Deployment, CronJob, … or the pod itself. */
  readonly workload: Reference;
  /** `pod` made from a manifest's template; nothing has happened to it yet. */
  readonly planned: boolean;
}

/** A restart older than this, on a container that runs well since, is history (milliseconds). */
export const recoveredAfterMs = 10 * 60_000;

/** Builds the facts of one pod. Pure. */
export function podFacts(pod: V1Pod, workload: Reference, planned: boolean): PodFacts {
  const spec = pod.spec ?? { containers: [] };
  const status = pod.status ?? {};
  const of = (
    list: readonly V1Container[] | undefined,
    statuses: readonly V1ContainerStatus[] | undefined,
    field: string,
    role: ContainerFacts['role'],
  ): readonly ContainerFacts[] =>
    (list ?? []).map((it, i) =>
      containerFacts(
        it,
        statuses?.find((s) => s.name === it.name),
        `${field}[${i}]`,
        role === 'init' && it.restartPolicy === 'Always' ? 'sidecar' : role,
      ),
    );
  return {
    pod,
    spec,
    ref: { ...referenceOf(pod), kind: 'Pod' },
    namespace: pod.metadata?.namespace ?? 'default',
    workload,
    planned,
    containers: [
      ...of(spec.initContainers, status.initContainerStatuses, 'initContainers', 'init'),
      ...of(spec.containers, status.containerStatuses, 'containers', 'main'),
    ],
  };
}

function containerFacts(
  spec: V1Container,
  status: V1ContainerStatus | undefined,
  path: string,
  role: ContainerFacts['role'],
): ContainerFacts {
  const { waiting, running, terminated } = status?.state ?? {};
  const lastEnd = terminated ?? status?.lastState?.terminated;
  return {
    name: spec.name,
    spec,
    ...(status && { status }),
    role,
    path,
    image: spec.image ?? status?.image ?? '',
    ...(waiting && { waiting }),
    ...(running && { running }),
    ...(terminated && { terminated }),
    ...(lastEnd && { lastEnd }),
    restarts: status?.restartCount ?? 0,
  };
}

/** True where something about the pod asks for an explanation at `now`. A fresh pod that is still on its way counts, too: rules decide. */
export function isTroubled(pod: V1Pod, now: number): boolean {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded') return false;
  if (phase !== 'Running' || pod.metadata?.deletionTimestamp) return true;
  const ready = pod.status?.conditions?.find((it) => it.type === 'Ready')?.status === 'True';
  if (!ready) return true;
  return (pod.status?.containerStatuses ?? []).some((it) => flaps(it, now));
}

/** It runs, but ended badly not long ago. */
function flaps(status: V1ContainerStatus, now: number): boolean {
  const ended = status.lastState?.terminated?.finishedAt;
  return status.restartCount > 0 && ended !== undefined && now - Date.parse(ended) < recoveredAfterMs;
}
