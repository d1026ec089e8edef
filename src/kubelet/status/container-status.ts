import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1Pod,
  V1PodStatus,
  V1ResourceRequirements,
  V1VolumeMountStatus,
} from '../../api/generated/types.ts';
import { rfc3339 } from '../../base/clock.ts';
import { containerSpec, findContainer, isSidecar, type ObservedContainer, type ObservedPod } from '../pods/observed.ts';
import { anyRegularCreated } from '../pods/plan.ts';
import { shouldStart } from '../pods/restart-rules.ts';

/** Why a container could not start at the last attempt. */
export interface StartReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly pod: V1Pod;
  readonly observed: ObservedPod;
  readonly old: V1PodStatus;
  readonly runtimeName: string;
  /** By container name. */
  readonly reasons: ReadonlyMap<string, StartReason>;
  /** A rule is restarting all containers. */
  readonly restartingAll: boolean;
  /** What the runtime holds a running container to; undefined where not known. */
  readonly actuated: (name: string) => V1ResourceRequirements | undefined;
}

const restartingAllReason = 'RestartingAllContainers';

const volumeMounts = (container: V1Container): readonly V1VolumeMountStatus[] =>
  (container.volumeMounts ?? []).map((mount) => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly && { readOnly: true, recursiveReadOnly: 'Disabled' }),
  }));

const terminatedState = (container: ObservedContainer, id: string): V1ContainerState => ({
  terminated: {
    exitCode: container.exitCode,
    ...(container.reason !== '' && { reason: container.reason }),
    ...(container.message !== '' && { message: container.message }),
    startedAt: rfc3339(container.startedAt),
    finishedAt: rfc3339(container.finishedAt),
    containerID: id,
  },
});

/** One container of the runtime as the API shows it. */
function fromObserved(
  input: ContainerStatusInput,
  container: ObservedContainer,
  old: V1ContainerStatus | undefined,
): V1ContainerStatus {
  const id = `${input.runtimeName}://${container.id}`;
  const spec = containerSpec(input.pod, container.name);
  let restartCount = Math.max(container.restartCount, old?.restartCount ?? 0);
  let lastState: V1ContainerState = {};
  if (old?.state?.terminated && old.containerID !== id) lastState = { terminated: old.state.terminated };
  else if (old?.lastState?.terminated) lastState = { terminated: old.lastState.terminated };
  let state: V1ContainerState;
  switch (container.state) {
    case 'running':
      state = { running: { startedAt: rfc3339(container.startedAt) } };
      if (
        old?.state?.terminated &&
        old.containerID !== id &&
        old.restartCount >= container.restartCount &&
        input.restartingAll
      )
        restartCount = old.restartCount + 1;
      break;
    case 'exited':
      state = terminatedState(container, id);
      break;
    case 'unknown':
      if (old?.state?.running) {
        state = {
          terminated: {
            reason: input.restartingAll ? restartingAllReason : 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was terminated',
            exitCode: 137,
          },
        };
        restartCount = old.restartCount + 1;
        break;
      }
      state = { waiting: {} };
      break;
    case 'created':
      state = { waiting: {} };
      break;
  }
  const resources =
    container.state === 'running' ? (input.actuated(container.name) ?? spec?.resources) : spec?.resources;
  const mounts = old?.volumeMounts ?? (spec && volumeMounts(spec));
  return {
    name: container.name,
    state,
    lastState,
    ready: false,
    restartCount,
    image: container.image.startsWith('sha256:') ? (spec?.image ?? container.image) : container.image,
    imageID: container.imageRef,
    containerID: id,
    ...(container.state === 'running' &&
      old?.started !== undefined &&
      old.containerID === id && { started: old.started }),
    ...(spec?.resources?.requests && { allocatedResources: spec.resources.requests }),
    resources: resources ?? {},
    ...(mounts && mounts.length > 0 && { volumeMounts: mounts }),
    ...(container.user && {
      user: {
        linux: {
          uid: container.user.uid,
          gid: container.user.gid,
          supplementalGroups: container.user.supplementalGroups,
        },
      },
    }),
  };
}

/** What an API status says of a container that the runtime no longer has. */
function withoutRuntime(
  input: ContainerStatusInput,
  status: V1ContainerStatus,
  old: V1ContainerStatus | undefined,
  hasInit: boolean,
): V1ContainerStatus {
  if (!old) return status;
  if (input.restartingAll && !old.state?.waiting) {
    const words = {
      reason: restartingAllReason,
      message: 'The container is removed because RestartAllContainers in place',
    };
    return {
      ...status,
      state: { waiting: words },
      lastState: { terminated: { ...words, exitCode: 137 } },
      restartCount: old.restartCount + 1,
    };
  }
  const waitingReason = hasInit ? 'PodInitializing' : 'ContainerCreating';
  if (old.state?.terminated || !old.state?.running || status.state?.waiting?.reason !== waitingReason) return status;
  if (status.lastState?.terminated) return status;
  return {
    ...status,
    lastState: {
      terminated: {
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was deleted.  The container used to be Running',
        exitCode: 137,
      },
    },
    restartCount: status.restartCount + (input.pod.metadata?.deletionTimestamp ? 0 : 1),
  };
}

/** The statuses of a list of containers, in the spec's order for init containers, else by name. Upstream: convertToAPIContainerStatuses. */
export function containerStatuses(
  input: ContainerStatusInput,
  containers: readonly V1Container[],
  previous: readonly V1ContainerStatus[] | undefined,
  isInit: boolean,
): readonly V1ContainerStatus[] {
  const { pod, observed } = input;
  const hasInit = (pod.spec?.initContainers ?? []).length > 0;
  const oldByName = new Map((previous ?? []).map((it) => [it.name, it]));
  const out = containers.map((container): V1ContainerStatus => {
    const old = oldByName.get(container.name);
    const seen = observed.containers.filter((it) => it.name === container.name);
    const newest = seen[0];
    let status: V1ContainerStatus;
    if (newest) {
      status = fromObserved(input, newest, old);
      if (seen[1]) status = { ...status, lastState: fromObserved(input, seen[1], old).state ?? {} };
    } else {
      status = old?.state?.terminated
        ? old
        : {
            name: container.name,
            state: { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } },
            lastState: old?.lastState ?? {},
            ready: false,
            restartCount: old?.restartCount ?? 0,
            image: container.image ?? '',
            imageID: '',
            started: false,
            ...((container.volumeMounts ?? []).length > 0 && { volumeMounts: volumeMounts(container) }),
          };
      status = withoutRuntime(input, status, old, hasInit);
    }
    if (isInit) {
      const last = findContainer(observed, container.name);
      if (last?.state === 'exited' && last.exitCode === 0) return status;
      if (!last && anyRegularCreated(pod, observed) && !isSidecar(container) && status.state?.waiting)
        return {
          ...status,
          state: {
            terminated: {
              reason: 'Completed',
              message:
                'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
              exitCode: 0,
            },
          },
        };
    }
    const reason = input.reasons.get(container.name);
    if (!reason || !shouldStart(container, pod, observed)) return status;
    return {
      ...status,
      ...(status.state?.terminated && { lastState: status.state }),
      state: { waiting: { reason: reason.reason, ...(reason.message !== '' && { message: reason.message }) } },
    };
  });
  return isInit ? out : out.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
