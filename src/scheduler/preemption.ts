import type { V1PodDisruptionBudget } from '../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../api/label-selector.ts';
import { type Random, randomInt } from '../base/random.ts';
import { type CycleResult, filterNode, type Nominations } from './cycle.ts';
import { type Diagnosis, fitMessage } from './diagnosis.ts';
import { type Cycle, type Plugin, type Rejection, unresolvable } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

export interface Preemption {
  readonly node: string;
  /** Most important first. */
  readonly victims: readonly PodInfo[];
}

export type PreemptionResult =
  | { readonly preempt: Preemption }
  /** `keepNomination` false: a node promised before is given up. */
  | { readonly message: string; readonly keepNomination: boolean };

interface Candidate extends Preemption {
  readonly violations: number;
}

/** Higher priority first, then the one that has run longer (pkg/scheduler/util, MoreImportantPod). */
function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [x, y] = [startOf(a), startOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
// A pod that has not started counts as starting now: later than any other.
const startOf = (pod: PodInfo): string => pod.pod.status?.startTime ?? '9999';

/** True while a victim of an earlier preemption is still going away. */
const leaving = (pod: PodInfo): boolean =>
  pod.terminating &&
  (pod.pod.status?.conditions ?? []).some(
    (it) => it.type === 'DisruptionTarget' && it.status === 'True' && it.reason === 'PreemptionByScheduler',
  );

/**
 * Looks for pods of lower priority whose going would make room (plugins/defaultpreemption, framework/preemption). Pure: says
 * whom to evict, evicts nobody. `result` is a failed cycle's.
 */
export function planPreemption(
  result: CycleResult,
  diagnosis: Diagnosis,
  nominations: Nominations,
  random: Random,
): PreemptionResult {
  const { cycle, filters } = result;
  const { pod, snapshot } = cycle;
  if (pod.pod.spec?.preemptionPolicy === 'Never') {
    return { message: 'preemption: not eligible due to preemptionPolicy=Never.', keepNomination: true };
  }
  const nominated = pod.pod.status?.nominatedNodeName;
  if (nominated) {
    const rejection = diagnosis.nodes.get(nominated) ?? diagnosis.absent;
    const pods = snapshot.node(nominated)?.pods ?? [];
    if (rejection?.code !== 'Unresolvable' && pods.some((it) => it.priority < pod.priority && leaving(it))) {
      return {
        message: 'preemption: not eligible due to a terminating pod on the nominated node.',
        keepNomination: true,
      };
    }
  }
  const hopeful = snapshot.nodes.filter((node) => {
    const rejection = diagnosis.nodes.get(node.name) ?? diagnosis.absent;
    return rejection?.code === 'Unschedulable';
  });
  const rejections = new Map<string, Rejection>();
  const wanted = Math.min(hopeful.length, Math.max(100, Math.trunc(hopeful.length / 10)));
  const offset = hopeful.length > 0 ? randomInt(random, hopeful.length) : 0;
  const budgets = snapshot.world.budgets();
  const good: Candidate[] = [];
  const bad: Candidate[] = [];
  for (let i = 0; i < hopeful.length; i++) {
    if (good.length > 0 && good.length + bad.length >= wanted) break;
    const node = hopeful[(offset + i) % hopeful.length] as NodeInfo;
    const found = victimsOn(cycle, filters, node, nominations, budgets);
    if ('code' in found) rejections.set(node.name, found);
    else (found.violations === 0 ? good : bad).push(found);
  }
  const best = pick([...good, ...bad]);
  if (best) return { preempt: best };
  const absent = unresolvable('Preemption is not helpful for scheduling');
  const message = fitMessage({ nodeCount: snapshot.nodes.length, nodes: rejections, absent, plugins: new Set() });
  return { message: `preemption: ${message}`, keepNomination: false };
}

/** The fewest, least important pods whose removal lets the pod in. */
function victimsOn(
  cycle: Cycle,
  filters: readonly Plugin[],
  original: NodeInfo,
  nominations: Nominations,
  budgets: readonly V1PodDisruptionBudget[],
): Candidate | Rejection {
  const { pod } = cycle;
  const possible = original.pods.filter((it) => it.priority < pod.priority).sort(byImportance);
  if (possible.length === 0) return unresolvable('No preemption victims found for incoming pod');
  const node = original.clone();
  const thought: Cycle = { ...cycle, state: cycle.state.clone() };
  const take = (it: PodInfo): void => {
    node.remove(it.uid);
    for (const filter of filters) filter.removePod?.(thought, it, node);
  };
  const put = (it: PodInfo): void => {
    node.add(it);
    for (const filter of filters) filter.addPod?.(thought, it, node);
  };
  for (const it of possible) take(it);
  const rejection = filterNode(thought, filters, node, nominations);
  if (rejection) return rejection;
  const { violating, others } = splitByBudget(possible, budgets);
  const victims: PodInfo[] = [];
  let violations = 0;
  // Those whose budget would suffer are spared first, in order of importance.
  for (const it of [...violating, ...others]) {
    put(it);
    if (!filterNode(thought, filters, node, nominations)) continue;
    take(it);
    victims.push(it);
    if (violating.includes(it)) violations++;
  }
  if (victims.length === 0) return unresolvable('Preemption is not helpful for scheduling');
  return { node: node.name, victims: victims.sort(byImportance), violations };
}

function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly V1PodDisruptionBudget[],
): { readonly violating: readonly PodInfo[]; readonly others: readonly PodInfo[] } {
  const left = budgets.map((it) => it.status?.disruptionsAllowed ?? 0);
  const selectors = budgets.map((it) => requirementsOf(it.spec?.selector));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    let breaks = false;
    for (const [i, budget] of budgets.entries()) {
      const selector = selectors[i];
      if (budget.metadata?.namespace !== pod.namespace || !selector || selector.length === 0) continue;
      if (Object.keys(pod.labels).length === 0 || !matchesLabels(selector, pod.labels)) continue;
      // The API server has let this one go already.
      if (budget.status?.disruptedPods?.[pod.pod.metadata?.name ?? ''] !== undefined) continue;
      left[i] = (left[i] ?? 0) - 1;
      if ((left[i] ?? 0) < 0) breaks = true;
    }
    (breaks ? violating : others).push(pod);
  }
  return { violating, others };
}

/** Fewest broken budgets, then lowest top priority, lowest sum, fewest victims, latest start (pickOneNodeForPreemption). */
function pick(candidates: readonly Candidate[]): Candidate | undefined {
  const earliestOfTop = (it: Candidate): string => {
    const top = it.victims[0]?.priority;
    return (
      it.victims
        .filter((pod) => pod.priority === top)
        .map(startOf)
        .sort()[0] ?? ''
    );
  };
  const rank = (it: Candidate): readonly number[] => [
    it.violations,
    it.victims[0]?.priority ?? 0,
    it.victims.reduce((sum, pod) => sum + pod.priority + 2 ** 31, 0),
    it.victims.length,
  ];
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (!best) {
      best = candidate;
      continue;
    }
    const [mine, theirs] = [rank(candidate), rank(best)];
    const at = mine.findIndex((value, i) => value !== theirs[i]);
    const better = at >= 0 ? (mine[at] ?? 0) < (theirs[at] ?? 0) : earliestOfTop(candidate) > earliestOfTop(best);
    if (better) best = candidate;
  }
  return best;
}
