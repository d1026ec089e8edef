import type { V1ContainerState, V1ContainerStatus, V1Pod } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import type { Loose } from '../draft.ts';
import { ageOf } from '../human-duration.ts';
import type { Column } from '../kind.ts';
import { isPodReady, podCondition, podIsTerminal } from './pod-facts.ts';
import { isSidecar } from './pod-resources.ts';

/** What `kubectl get pods` shows of a pod besides its name and age. */
export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating` … */
  readonly status: string;
  readonly restarts: number;
  /** RFC 3339 time at which the last container ended that was restarted. */
  readonly lastRestart: string | undefined;
}

type Status = Loose<V1ContainerStatus>;

const ending = (ended: Loose<V1ContainerState>['terminated'], prefix: string): string => {
  if (ended?.reason) return `${prefix}${ended.reason}`;
  return ended?.signal ? `${prefix}Signal:${ended.signal}` : `${prefix}ExitCode:${ended?.exitCode ?? 0}`;
};

/** Counts restarts and keeps the latest end. */
function counter() {
  let restarts = 0;
  let last: string | undefined;
  return {
    add(status: Status): void {
      restarts += status.restartCount ?? 0;
      const at = status.lastState?.terminated?.finishedAt;
      if (at && (last === undefined || Date.parse(at) > Date.parse(last))) last = at;
    },
    get: () => ({ restarts, last }),
  };
}

/** Summarises a pod as upstream's printer does (pkg/printers/internalversion printPod). */
export function podSummary(object: V1Pod | Loose<V1Pod>): PodSummary {
  const pod = object as Loose<V1Pod>;
  const { spec = {}, status = {}, metadata = {} } = pod;
  const inits = spec.initContainers ?? [];
  const sidecars = new Set(inits.filter(isSidecar).map((it) => it.name));
  const total = (spec.containers?.length ?? 0) + sidecars.size;
  let text = status.reason || status.phase || '';
  if (status.conditions?.some((it) => it.type === 'PodScheduled' && it.reason === 'SchedulingGated')) {
    text = 'SchedulingGated';
  }
  let ready = 0;
  let initializing = false;
  const all = counter();
  const lasting = counter();
  for (const [i, init] of (status.initContainerStatuses ?? []).entries()) {
    all.add(init);
    const sidecar = sidecars.has(init.name);
    if (sidecar) lasting.add(init);
    const { terminated, waiting } = init.state ?? {};
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (sidecar && init.started) {
      if (init.ready) ready++;
      continue;
    }
    initializing = true;
    if (terminated) text = ending(terminated, 'Init:');
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') text = `Init:${waiting.reason}`;
    else text = `Init:${i}/${inits.length}`;
    break;
  }
  let counted = all;
  if (!initializing || podCondition(pod, 'Initialized')?.status === 'True') {
    counted = lasting;
    let running = false;
    let failure = '';
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      lasting.add(container);
      const { waiting, terminated } = container.state ?? {};
      if (waiting?.reason) text = waiting.reason;
      else if (terminated) {
        text = ending(terminated, '');
        if (terminated.exitCode) failure = text;
      } else if (container.ready && container.state?.running) {
        running = true;
        ready++;
      }
    }
    if (text === 'Completed') {
      if (running && isPodReady(pod)) text = 'Running';
      else if (failure !== '') text = failure;
      else if (running) text = 'NotReady';
    }
  }
  if (metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') text = 'Unknown';
    else if (!podIsTerminal(pod)) text = 'Terminating';
  }
  const { restarts, last } = counted.get();
  return { ready, total, status: text, restarts, lastRestart: last };
}

const { column, wide } = columnsOf<V1Pod>();
const orNone = (text: string | undefined): string => text || '<none>';

/** One summary serves the three cells of a row: cells of a row are asked for one after the other. */
let latest: { readonly pod: unknown; readonly summary: PodSummary } | undefined;
function summaryOf(pod: Loose<V1Pod>): PodSummary {
  if (latest?.pod !== pod || !Object.isFrozen(pod)) latest = { pod, summary: podSummary(pod) };
  return latest.summary;
}

function readinessGates(pod: Loose<V1Pod>): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const open = gates.filter((it) => podCondition(pod, it.conditionType ?? '')?.status === 'True');
  return `${open.length}/${gates.length}`;
}

export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', 'The aggregate readiness state of this pod for accepting traffic.', (pod) => {
    const { ready, total } = summaryOf(pod);
    return `${ready}/${total}`;
  }),
  column('Status', 'The aggregate status of the containers in this pod.', (pod) => summaryOf(pod).status),
  column(
    'Restarts',
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    (pod, now) => {
      const { restarts, lastRestart } = summaryOf(pod);
      return restarts !== 0 && lastRestart ? `${restarts} (${ageOf(lastRestart, now)} ago)` : `${restarts}`;
    },
  ),
  ageColumn,
  wide('IP', 'The address allocated to the pod.', (pod) => orNone(pod.status?.podIPs?.[0]?.ip)),
  wide('Node', 'The node on which the pod is to run.', (pod) => orNone(pod.spec?.nodeName)),
  wide('Nominated Node', 'The node for which lower-priority pods make room.', (pod) =>
    orNone(pod.status?.nominatedNodeName),
  ),
  wide('Readiness Gates', 'How many of the conditions that readiness waits for are true.', readinessGates),
];
