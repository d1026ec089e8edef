import { type Random, randomInt } from '../base/random.ts';
import type { Diagnosis } from './diagnosis.ts';
import { type Cycle, cycleState, type Plugin, type Rejection, type Snapshot, unresolvable } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { Profile } from './profile.ts';

/** Pods that preemption promised a node, to be counted on it. */
export interface Nominations {
  on(node: string): readonly PodInfo[];
}
export const noNominations: Nominations = { on: () => [] };

export interface CycleResult {
  readonly cycle: Cycle;
  /** The node chosen, or why there is none. */
  readonly outcome:
    | { readonly node: NodeInfo; readonly evaluated: number; readonly feasible: number }
    | { readonly diagnosis: Diagnosis };
  /** The filters that have something to say of this pod; for preemption. */
  readonly filters: readonly Plugin[];
  /** Where the next search starts, so that all nodes get their turn. */
  readonly nextStart: number;
}

/** How many feasible nodes are enough (schedule_one.go, numFeasibleNodesToFind). */
export function nodesToFind(all: number, percentage = 0): number {
  if (all < 100) return all;
  const share = percentage > 0 ? percentage : Math.max(5, 50 - Math.trunc(all / 125));
  return Math.max(100, Math.trunc((all * share) / 100));
}

/** Asks the filters of one node, twice where nominated pods of at least the same priority would share it. */
export function filterNode(
  cycle: Cycle,
  filters: readonly Plugin[],
  node: NodeInfo,
  nominations: Nominations,
): Rejection | undefined {
  const rivals = nominations
    .on(node.name)
    .filter((it) => it.priority >= cycle.pod.priority && it.uid !== cycle.pod.uid);
  if (rivals.length > 0) {
    const crowded = node.clone();
    const inThought: Cycle = { ...cycle, state: cycle.state.clone() };
    for (const rival of rivals) {
      crowded.add(rival);
      for (const filter of filters) filter.addPod?.(inThought, rival, crowded);
    }
    const rejection = askFilters(inThought, filters, crowded);
    if (rejection) return rejection;
  }
  return askFilters(cycle, filters, node);
}

function askFilters(cycle: Cycle, filters: readonly Plugin[], node: NodeInfo): Rejection | undefined {
  for (const plugin of filters) {
    const rejection = plugin.filter?.(cycle, node);
    if (rejection) return { ...rejection, plugin: plugin.name };
  }
  return undefined;
}

export interface PreFiltered {
  readonly cycle: Cycle;
  readonly filters: readonly Plugin[];
  readonly rejection?: Rejection;
  readonly nodeNames?: ReadonlySet<string>;
  /** Plugins that narrowed the nodes down. */
  readonly narrowedBy: ReadonlySet<string>;
}

/** Runs the pre-filters; the first unresolvable rejection ends it. */
export function preFilter(snapshot: Snapshot, pod: PodInfo, profile: Profile): PreFiltered {
  const cycle: Cycle = { snapshot, pod, state: cycleState() };
  const filters: Plugin[] = [];
  const narrowedBy = new Set<string>();
  let nodeNames: ReadonlySet<string> | undefined;
  for (const plugin of profile.plugins) {
    const result = plugin.preFilter?.(cycle);
    if (result === 'skip') continue;
    if (result && 'rejection' in result) {
      return { cycle, filters, narrowedBy, rejection: { ...result.rejection, plugin: plugin.name } };
    }
    if (result) {
      const wanted = result.nodeNames;
      nodeNames = nodeNames ? new Set([...nodeNames].filter((it) => wanted.has(it))) : wanted;
      narrowedBy.add(plugin.name);
      if (nodeNames.size === 0) {
        const names = [...narrowedBy].sort().join(' ');
        const rejection = unresolvable(`node(s) didn't satisfy plugin(s) [${names}] simultaneously`);
        return { cycle, filters, narrowedBy, rejection };
      }
    }
    if (plugin.filter) filters.push(plugin);
  }
  return { cycle, filters, narrowedBy, ...(nodeNames && { nodeNames }) };
}

/** The weighted sum of all plugins' scores for each node. */
export function scoreNodes(
  cycle: Cycle,
  profile: Profile,
  nodes: readonly NodeInfo[],
  onPlugin?: (plugin: string, weight: number, scores: readonly number[]) => void,
): readonly number[] {
  const totals = new Array<number>(nodes.length).fill(0);
  for (const plugin of profile.plugins) {
    if (!plugin.score || (plugin.preScore && !plugin.preScore(cycle, nodes))) continue;
    const scores = new Array<number>(nodes.length);
    for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(cycle, nodes[i] as NodeInfo);
    plugin.normalize?.(cycle, scores, nodes);
    const weight = profile.weights.get(plugin.name) ?? 1;
    for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight;
    onPlugin?.(plugin.name, weight, scores);
  }
  return totals;
}

/** Finds the best node for a pod: filters, scores, picks (schedule_one.go, schedulePod). The snapshot must hold a node. */
export function schedulePod(
  snapshot: Snapshot,
  pod: PodInfo,
  profile: Profile,
  options: { readonly random: Random; readonly start: number; readonly nominations: Nominations },
): CycleResult {
  const { nominations } = options;
  const { cycle, filters, rejection, nodeNames, narrowedBy } = preFilter(snapshot, pod, profile);
  const all = snapshot.nodes;
  const rejections = new Map<string, Rejection>();
  const plugins = new Set(narrowedBy);
  const failed = (diagnosis: Partial<Diagnosis>, nextStart: number): CycleResult => ({
    cycle,
    filters,
    nextStart,
    outcome: { diagnosis: { nodeCount: all.length, nodes: rejections, plugins, ...diagnosis } },
  });
  if (rejection) {
    if (rejection.plugin) plugins.add(rejection.plugin);
    return failed({ preFilter: rejection.reasons.join(', '), absent: rejection }, options.start);
  }
  const nominated = snapshot.node(pod.pod.status?.nominatedNodeName ?? '');
  if (nominated?.node && !filterNode(cycle, filters, nominated, nominations)) {
    return { cycle, filters, nextStart: options.start, outcome: { node: nominated, evaluated: 1, feasible: 1 } };
  }
  const nodes = nodeNames ? all.filter((it) => nodeNames.has(it.name)) : all;
  const enough = nodesToFind(nodes.length);
  const feasible: NodeInfo[] = [];
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(options.start + i) % nodes.length] as NodeInfo;
    const refused = filterNode(cycle, filters, node, nominations);
    if (!refused) feasible.push(node);
    else {
      rejections.set(node.name, refused);
      if (refused.plugin) plugins.add(refused.plugin);
    }
  }
  const nextStart = (options.start + feasible.length + rejections.size) % all.length;
  if (feasible.length === 0) {
    const names = [...narrowedBy].sort().join(' ');
    return failed(nodeNames ? { absent: unresolvable(`node(s) didn't satisfy plugin(s) [${names}]`) } : {}, nextStart);
  }
  const evaluated = feasible.length + rejections.size;
  const chosen = feasible.length === 1 ? 0 : pickBest(scoreNodes(cycle, profile, feasible), options.random);
  const node = feasible[chosen] as NodeInfo;
  return { cycle, filters, nextStart, outcome: { node, evaluated, feasible: feasible.length } };
}

/** The index of the highest score; chance decides between equals. */
function pickBest(scores: readonly number[], random: Random): number {
  let best = 0;
  let equals = 1;
  for (let i = 1; i < scores.length; i++) {
    const [score, top] = [scores[i] ?? 0, scores[best] ?? 0];
    if (score > top) {
      best = i;
      equals = 1;
    } else if (score === top) {
      equals++;
      if (randomInt(random, equals) === 0) best = i;
    }
  }
  return best;
}
