import type { V1DaemonSetStatus } from '../../api/generated/types.ts';
import { isPodAvailable, isPodReady } from '../support/pods.ts';
import {
  byAgeAndNode,
  type DaemonSet,
  hashLabel,
  isUpdated,
  maxSurgeOf,
  maxUnavailableOf,
  minReadyOf,
  type Node,
  nodeOf,
  type Pod,
  shouldRun,
} from './facts.ts';

export interface Finished {
  readonly pod: Pod;
  readonly node: string;
  readonly phase: 'Failed' | 'Succeeded';
}

export interface Plan {
  /** Nodes that are to get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Pods that ended by themselves: removed too (a failed one with back-off), and told in an event. */
  readonly finished: readonly Finished[];
}

interface Scene {
  readonly ds: DaemonSet;
  readonly nodes: readonly Node[];
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly hash: string;
  readonly now: number;
}

/** The set's pods by the node they are on or meant for. */
export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const map = new Map<string, Pod[]>();
  for (const pod of pods) {
    const node = nodeOf(pod);
    const there = map.get(node);
    if (there) there.push(pod);
    else map.set(node, [pod]);
  }
  return map;
}

const alive = (pods: readonly Pod[]): readonly Pod[] => pods.filter((pod) => !pod.metadata.deletionTimestamp);
const hasSurge = (ds: DaemonSet): boolean => maxSurgeOf(ds, 100) > 0;

/** A pod on every node that should have one, and none elsewhere. */
export function placement(scene: Scene): Plan {
  const { ds, nodes, pods } = scene;
  const create: string[] = [];
  const remove: Pod[] = [];
  const finished: Finished[] = [];
  for (const node of nodes) {
    const name = node.metadata.name;
    const there = pods.get(name);
    const { start, stay } = shouldRun(ds, node);
    if (start && !there) create.push(name);
    else if (stay) keepOne(scene, name, there ?? [], start, { create, remove, finished });
    else if (there) remove.push(...alive(there));
  }
  const known = new Set(nodes.map((node) => node.metadata.name));
  for (const [name, there] of pods) {
    // Pods that wait for a node that is no more; those that were on one are the pod collector's.
    if (!known.has(name)) remove.push(...there.filter((pod) => !pod.spec?.nodeName && !pod.metadata.deletionTimestamp));
  }
  return { create, remove, finished };
}

function keepOne(
  scene: Scene,
  node: string,
  there: readonly Pod[],
  start: boolean,
  out: { readonly create: string[]; readonly remove: Pod[]; readonly finished: Finished[] },
): void {
  const running: Pod[] = [];
  for (const pod of alive(there)) {
    const phase = pod.status?.phase;
    if (phase === 'Failed' || phase === 'Succeeded') out.finished.push({ pod, node, phase });
    else running.push(pod);
  }
  running.sort(byAgeAndNode);
  if (!hasSurge(scene.ds)) {
    out.remove.push(...running.slice(1));
    return;
  }
  if (running.length <= 1) {
    if (running.length === 0 && start && alive(there).length === 0) out.create.push(node);
    return;
  }
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[hashLabel] === scene.hash;
  const newest = running.find(isNew);
  const oldest = running.find((pod) => !isNew(pod));
  out.remove.push(...running.filter((pod) => pod !== newest && pod !== oldest));
  if (newest && oldest && (!isPodReady(oldest) || isPodAvailable(newest, minReadyOf(scene.ds), scene.now))) {
    out.remove.push(oldest);
  }
}

/** The one old and the one new pod of a node; undefined where there are more of either. */
function pair(scene: Scene, pods: readonly Pod[]): { readonly newOne?: Pod; readonly oldOne?: Pod } | undefined {
  const current = alive(pods);
  const news = current.filter((pod) => isUpdated(scene.ds, pod, scene.hash));
  const olds = current.filter((pod) => !isUpdated(scene.ds, pod, scene.hash));
  if (news.length > 1 || olds.length > 1) return undefined;
  return { ...(news[0] && { newOne: news[0] }), ...(olds[0] && { oldOne: olds[0] }) };
}

/** The next step of a rolling update: old pods to remove, and nodes that get a second pod where surging is allowed. */
export function rollingUpdate(scene: Scene): { readonly create: readonly string[]; readonly remove: readonly Pod[] } {
  const desired = scene.nodes.filter((node) => shouldRun(scene.ds, node).start).length;
  const surge = maxSurgeOf(scene.ds, desired);
  const unavailable = maxUnavailableOf(scene.ds, desired);
  if (surge > 0) return surging(scene, surge, desired);
  return { create: [], remove: replacing(scene, unavailable === 0 ? 1 : unavailable) };
}

function replacing(scene: Scene, maxUnavailable: number): readonly Pod[] {
  const available = (pod: Pod): boolean => isPodAvailable(pod, minReadyOf(scene.ds), scene.now);
  let unavailable = 0;
  const free: Pod[] = [];
  const candidates: Pod[] = [];
  for (const pods of scene.pods.values()) {
    const found = pair(scene, pods);
    if (!found) unavailable++;
    else if (Boolean(found.newOne) === Boolean(found.oldOne)) unavailable++;
    else if (found.newOne) unavailable += available(found.newOne) ? 0 : 1;
    else if (found.oldOne && !available(found.oldOne)) {
      free.push(found.oldOne);
      unavailable++;
    } else if (found.oldOne) candidates.push(found.oldOne);
  }
  return [...free, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))];
}

function surging(
  scene: Scene,
  maxSurge: number,
  desired: number,
): { readonly create: readonly string[]; readonly remove: readonly Pod[] } {
  const isAvailable = (pod: Pod): boolean => isPodAvailable(pod, minReadyOf(scene.ds), scene.now);
  const nodes = new Map(scene.nodes.map((node) => [node.metadata.name, node]));
  const remove: Pod[] = [];
  const misplaced: Pod[] = [];
  const free: string[] = [];
  const candidates: string[] = [];
  let surge = 0;
  let available = 0;
  for (const [name, pods] of scene.pods) {
    const found = pair(scene, pods);
    if (!found) {
      surge++;
      continue;
    }
    const { newOne, oldOne } = found;
    const serving = oldOne ?? newOne;
    if (serving && isAvailable(serving)) available++;
    if (!oldOne) continue;
    if (newOne) {
      if (isAvailable(newOne)) remove.push(oldOne);
      else surge++;
      continue;
    }
    const node = nodes.get(name);
    const fits = node !== undefined && shouldRun(scene.ds, node).start;
    if (!isAvailable(oldOne)) {
      if (fits) free.push(name);
      else remove.push(oldOne);
    } else if (fits) candidates.push(name);
    else misplaced.push(oldOne);
  }
  remove.push(...misplaced.slice(0, Math.max(0, available - desired)));
  return { create: [...free, ...candidates.slice(0, Math.max(0, maxSurge - surge))], remove };
}

export function daemonStatus(scene: Scene): V1DaemonSetStatus {
  const { ds } = scene;
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, updated: 0, available: 0 };
  for (const node of scene.nodes) {
    const there = scene.pods.get(node.metadata.name) ?? [];
    if (!shouldRun(ds, node).start) {
      if (there.length > 0) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    const pod = [...there].sort(byAgeAndNode)[0];
    if (!pod) continue;
    counts.current++;
    if (isPodReady(pod)) counts.ready++;
    if (isPodAvailable(pod, minReadyOf(ds), scene.now)) counts.available++;
    if (isUpdated(ds, pod, scene.hash)) counts.updated++;
  }
  const unavailable = counts.desired - counts.available;
  return {
    currentNumberScheduled: counts.current,
    desiredNumberScheduled: counts.desired,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    ...(counts.updated > 0 && { updatedNumberScheduled: counts.updated }),
    ...(counts.available > 0 && { numberAvailable: counts.available }),
    ...(unavailable > 0 && { numberUnavailable: unavailable }),
    observedGeneration: ds.metadata.generation ?? 0,
    ...(ds.status?.collisionCount !== undefined && { collisionCount: ds.status.collisionCount }),
    ...(ds.status?.conditions && { conditions: ds.status.conditions }),
  };
}
