import { matchesRequiredNodeAffinity } from '../../kinds/core/node-match.ts';
import {
  type Cycle,
  maxNodeScore,
  nodeOf,
  type Plugin,
  podOf,
  type StateKey,
  unresolvable,
  unschedulable,
} from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import {
  hasAllKeys,
  hostname,
  includesNode,
  ownConstraints,
  type SpreadConstraint,
  selects,
  systemConstraints,
} from './pod-topology-spread-constraints.ts';

interface Hard {
  readonly constraints: readonly SpreadConstraint[];
  /** For each constraint: pods found in each domain. */
  readonly counts: readonly Map<string, number>[];
  /** For each constraint: the emptiest domain's count, once asked for; dropped when counts change. */
  readonly minimums: (number | undefined)[];
}
const hard: StateKey<Hard> = {
  name: 'PodTopologySpread/filter',
  clone: (it) => ({
    constraints: it.constraints,
    counts: it.counts.map((map) => new Map(map)),
    minimums: [...it.minimums],
  }),
};

interface Soft {
  readonly constraints: readonly SpreadConstraint[];
  readonly counts: readonly Map<string, number>[];
  readonly weights: readonly number[];
  readonly ignored: ReadonlySet<string>;
}
const soft: StateKey<Soft> = { name: 'PodTopologySpread/score' };

const mismatch = "node(s) didn't match pod topology spread constraints";

function update({ pod, state }: Cycle, changed: PodInfo, node: NodeInfo, by: 1 | -1): void {
  const known = state.read(hard);
  if (!known || !node.node || changed.namespace !== pod.namespace || !hasAllKeys(node.labels, known.constraints))
    return;
  for (const [i, constraint] of known.constraints.entries()) {
    const counts = known.counts[i];
    if (!counts || !selects(constraint, changed.labels) || !includesNode(constraint, pod.pod, node.node)) continue;
    const domain = node.labels[constraint.topologyKey] ?? '';
    counts.set(domain, (counts.get(domain) ?? 0) + by);
    known.minimums[i] = undefined;
  }
}

function minimum(known: Hard, i: number): number {
  let least = known.minimums[i];
  if (least === undefined) {
    const counts = known.counts[i] ?? new Map<string, number>();
    least = Number.MAX_SAFE_INTEGER;
    for (const count of counts.values()) if (count < least) least = count;
    // Fewer domains than asked for: an empty one is imagined beside them.
    if (counts.size < (known.constraints[i]?.minDomains ?? 1)) least = 0;
    known.minimums[i] = least;
  }
  return least;
}

/** The first constraint that the pod would break on this node. */
function broken({ pod, state }: Cycle, node: NodeInfo): { constraint: SpreadConstraint; skew?: number } | undefined {
  const known = state.read(hard);
  for (const [i, constraint] of (known?.constraints ?? []).entries()) {
    const domain = node.labels[constraint.topologyKey];
    if (domain === undefined || !known) return { constraint };
    const self = selects(constraint, pod.labels) ? 1 : 0;
    const skew = (known.counts[i]?.get(domain) ?? 0) + self - minimum(known, i);
    if (skew > constraint.maxSkew) return { constraint, skew };
  }
  return undefined;
}

/** topologySpreadConstraints, and for pods without any the system's soft defaults. */
export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  interests: [
    {
      on: ['AssignedPod/Add', 'AssignedPod/UpdateLabel', 'AssignedPod/Delete'],
      hint(pod, { old, next }) {
        const constraints = ownConstraints(pod, 'DoNotSchedule');
        return [podOf(old), podOf(next)].some(
          (it) =>
            it &&
            it.metadata?.namespace === pod.metadata?.namespace &&
            constraints.some((constraint) => selects(constraint, it.metadata?.labels ?? {})),
        );
      },
    },
    {
      on: ['Node/Add', 'Node/Delete', 'Node/UpdateLabel', 'Node/UpdateTaint'],
      hint(pod, { old, next }) {
        const constraints = ownConstraints(pod, 'DoNotSchedule');
        return [nodeOf(old), nodeOf(next)].some(
          (it) => it && hasAllKeys(it.metadata?.labels ?? {}, constraints) && matchesRequiredNodeAffinity(pod, it),
        );
      },
    },
    { on: ['Pod/Update'] },
  ],
  preFilter({ pod, snapshot, state }) {
    const constraints = ownConstraints(pod.pod, 'DoNotSchedule');
    if (constraints.length === 0) return 'skip';
    const counts = constraints.map(() => new Map<string, number>());
    for (const node of snapshot.nodes) {
      if (!node.node || !hasAllKeys(node.labels, constraints)) continue;
      for (const [i, constraint] of constraints.entries()) {
        if (!includesNode(constraint, pod.pod, node.node)) continue;
        const domain = node.labels[constraint.topologyKey] ?? '';
        const own = counts[i];
        own?.set(domain, (own.get(domain) ?? 0) + node.count(pod.namespace, constraint.selector));
      }
    }
    state.write(hard, { constraints, counts, minimums: [] });
    return undefined;
  },
  addPod: (cycle, pod, node) => update(cycle, pod, node, 1),
  removePod: (cycle, pod, node) => update(cycle, pod, node, -1),
  filter(cycle, node) {
    const found = broken(cycle, node);
    if (!found) return undefined;
    return found.skew === undefined ? unresolvable(`${mismatch} (missing required label)`) : unschedulable(mismatch);
  },
  explain(cycle, node) {
    const found = broken(cycle, node);
    if (!found) return undefined;
    const { topologyKey, maxSkew } = found.constraint;
    return found.skew === undefined
      ? `the node has no label ${topologyKey}`
      : `${topologyKey}=${node.labels[topologyKey]} would be ${found.skew} pods ahead of the emptiest domain, maxSkew is ${maxSkew}`;
  },
  preScore({ pod, snapshot, state }, nodes) {
    const own = (pod.pod.spec?.topologySpreadConstraints ?? []).length > 0;
    const constraints = own ? ownConstraints(pod.pod, 'ScheduleAnyway') : systemConstraints(pod.pod, snapshot.world);
    if (constraints.length === 0) return false;
    const counts = constraints.map(() => new Map<string, number>());
    const ignored = new Set<string>();
    for (const node of nodes) {
      // Pods' own constraints count only nodes with every key; the defaults must work in clusters without zones.
      if (own && !hasAllKeys(node.labels, constraints)) {
        ignored.add(node.name);
        continue;
      }
      for (const [i, { topologyKey }] of constraints.entries()) {
        if (topologyKey !== hostname) counts[i]?.set(node.labels[topologyKey] ?? '', 0);
      }
    }
    for (const [i, constraint] of constraints.entries()) {
      const domains = counts[i];
      if (!domains || domains.size === 0) continue;
      // One domain without a name: every node is in it, so that counting tells nothing apart.
      if (domains.size === 1 && domains.has('')) continue;
      for (const node of snapshot.nodes) {
        if (!node.node || (own && !hasAllKeys(node.labels, constraints))) continue;
        const domain = node.labels[constraint.topologyKey] ?? '';
        const before = domains.get(domain);
        if (before === undefined || !includesNode(constraint, pod.pod, node.node)) continue;
        domains.set(domain, before + node.count(pod.namespace, constraint.selector));
      }
    }
    const weights = constraints.map(({ topologyKey }, i) =>
      Math.log((topologyKey === hostname ? nodes.length - ignored.size : (counts[i]?.size ?? 0)) + 2),
    );
    state.write(soft, { constraints, counts, weights, ignored });
    return true;
  },
  score({ pod, state }, node) {
    const known = state.read(soft);
    if (!known || known.ignored.has(node.name)) return 0;
    let sum = 0;
    for (const [i, { topologyKey, selector, maxSkew }] of known.constraints.entries()) {
      const domain = node.labels[topologyKey];
      if (domain === undefined) continue;
      const count =
        topologyKey === hostname ? node.count(pod.namespace, selector) : (known.counts[i]?.get(domain) ?? 0);
      sum += count * (known.weights[i] ?? 0) + (maxSkew - 1);
    }
    return Math.round(sum);
  },
  normalize({ state }, scores, nodes) {
    const ignored = state.read(soft)?.ignored ?? new Set<string>();
    let min = Number.MAX_SAFE_INTEGER;
    let max = 0;
    for (const [i, score] of scores.entries()) {
      if (ignored.has(nodes[i]?.name ?? '')) continue;
      if (score < min) min = score;
      if (score > max) max = score;
    }
    for (const [i, score] of scores.entries()) {
      if (ignored.has(nodes[i]?.name ?? '')) scores[i] = 0;
      else scores[i] = max === 0 ? maxNodeScore : Math.trunc((maxNodeScore * (max + min - score)) / max);
    }
  },
};
