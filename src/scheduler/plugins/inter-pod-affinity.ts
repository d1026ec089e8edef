import { type AffinityTerm, termMatches } from '../affinity-terms.ts';
import {
  type Cycle,
  maxNodeScore,
  type Plugin,
  podOf,
  type StateKey,
  unresolvable,
  unschedulable,
} from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { type PodInfo, podInfoOf } from '../pod-info.ts';

/** Topology key and value to the number of matches. */
type Counts = Map<string, number>;
const pair = (key: string, value: string): string => `${key}\n${value}`;

function bump(counts: Counts, node: NodeInfo, key: string, by: number): void {
  const value = node.labels[key];
  if (value === undefined) return;
  const at = pair(key, value);
  const next = (counts.get(at) ?? 0) + by;
  if (next === 0) counts.delete(at);
  else counts.set(at, next);
}

interface Hard {
  /** Anti-affinity of pods that run already, against the incoming pod. */
  readonly existing: Counts;
  readonly affinity: Counts;
  readonly anti: Counts;
}
const hard: StateKey<Hard> = {
  name: 'InterPodAffinity/filter',
  clone: (it) => ({ existing: new Map(it.existing), affinity: new Map(it.affinity), anti: new Map(it.anti) }),
};
const soft: StateKey<ReadonlyMap<string, Counts>> = { name: 'InterPodAffinity/score' };

const matchesAll = (terms: readonly AffinityTerm[], pod: PodInfo, labels: NamespaceLabels): boolean =>
  terms.length > 0 && terms.every((term) => termMatches(term, pod.pod, labels));
type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>>;

function account(counts: Hard, { pod, snapshot }: Cycle, other: PodInfo, node: NodeInfo, by: 1 | -1): void {
  const labels = snapshot.world.namespaceLabels;
  for (const term of other.requiredAntiAffinity) {
    if (termMatches(term, pod.pod, labels)) bump(counts.existing, node, term.topologyKey, by);
  }
  if (matchesAll(pod.requiredAffinity, other, labels)) {
    for (const term of pod.requiredAffinity) bump(counts.affinity, node, term.topologyKey, by);
  }
  for (const term of pod.requiredAntiAffinity) {
    if (termMatches(term, other.pod, labels)) bump(counts.anti, node, term.topologyKey, by);
  }
}

type Trouble = { readonly kind: 'affinity' | 'anti' | 'existing'; readonly key: string };

function trouble({ pod, state, snapshot }: Cycle, node: NodeInfo): Trouble | undefined {
  const counts = state.read(hard);
  if (!counts) return undefined;
  let found = true;
  for (const { topologyKey } of pod.requiredAffinity) {
    const value = node.labels[topologyKey];
    if (value === undefined) return { kind: 'affinity', key: topologyKey };
    if ((counts.affinity.get(pair(topologyKey, value)) ?? 0) <= 0) found = false;
  }
  // The first pod of a group that is to be together may start anywhere.
  if (
    !found &&
    !(counts.affinity.size === 0 && matchesAll(pod.requiredAffinity, pod, snapshot.world.namespaceLabels))
  ) {
    return { kind: 'affinity', key: pod.requiredAffinity[0]?.topologyKey ?? '' };
  }
  for (const { topologyKey } of pod.requiredAntiAffinity) {
    const value = node.labels[topologyKey];
    if (value !== undefined && (counts.anti.get(pair(topologyKey, value)) ?? 0) > 0) {
      return { kind: 'anti', key: topologyKey };
    }
  }
  if (counts.existing.size > 0) {
    for (const key in node.labels) {
      if ((counts.existing.get(pair(key, node.labels[key] ?? '')) ?? 0) > 0) return { kind: 'existing', key };
    }
  }
  return undefined;
}

/** Pod affinity and anti-affinity, of the incoming pod and of those that run already. */
export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  interests: [
    {
      on: ['AssignedPod/Add', 'AssignedPod/UpdateLabel', 'AssignedPod/Delete'],
      hint(pod, { old, next }) {
        const waiting = podInfoOf(pod);
        // Namespace labels are not at hand here: a term with a namespace selector may match anything.
        const concerns = (terms: readonly AffinityTerm[], subject: PodInfo): boolean =>
          terms.some((term) => term.namespaceSelector !== undefined || termMatches(term, subject.pod, () => ({})));
        return [podOf(old), podOf(next)].some((it) => {
          if (!it) return false;
          const other = podInfoOf(it);
          return (
            concerns(waiting.requiredAffinity, other) ||
            concerns(waiting.requiredAntiAffinity, other) ||
            concerns(other.requiredAntiAffinity, waiting)
          );
        });
      },
    },
    { on: ['Node/Add', 'Node/UpdateLabel', 'Namespace/Update', 'Pod/Update'] },
  ],
  preFilter(cycle) {
    const { pod, snapshot, state } = cycle;
    const counts: Hard = { existing: new Map(), affinity: new Map(), anti: new Map() };
    const own = pod.requiredAffinity.length + pod.requiredAntiAffinity.length > 0;
    const nodes = own ? snapshot.nodes : snapshot.withRequiredAntiAffinity();
    for (const node of nodes) for (const other of node.pods) account(counts, cycle, other, node, 1);
    if (!own && counts.existing.size === 0) return 'skip';
    state.write(hard, counts);
    return undefined;
  },
  addPod(cycle, pod, node) {
    const counts = cycle.state.read(hard);
    if (counts) account(counts, cycle, pod, node, 1);
  },
  removePod(cycle, pod, node) {
    const counts = cycle.state.read(hard);
    if (counts) account(counts, cycle, pod, node, -1);
  },
  filter(cycle, node) {
    const found = trouble(cycle, node);
    switch (found?.kind) {
      case undefined:
        return undefined;
      case 'affinity':
        return unresolvable("node(s) didn't match pod affinity rules");
      case 'anti':
        return unschedulable("node(s) didn't match pod anti-affinity rules");
      case 'existing':
        return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
    }
  },
  explain(cycle, node) {
    const found = trouble(cycle, node);
    if (!found) return undefined;
    const value = node.labels[found.key];
    const where = value === undefined ? `the node has no label ${found.key}` : `${found.key}=${value}`;
    switch (found.kind) {
      case 'affinity':
        return value === undefined ? where : `no pod that podAffinity asks for runs in ${where}`;
      case 'anti':
        return `a pod that podAntiAffinity avoids runs in ${where}`;
      case 'existing':
        return `a pod in ${where} has anti-affinity to this one`;
    }
  },
  preScore({ pod, snapshot, state }) {
    const own = pod.preferredAffinity.length + pod.preferredAntiAffinity.length > 0;
    const labels = snapshot.world.namespaceLabels;
    const scores = new Map<string, Counts>();
    const add = (node: NodeInfo, term: AffinityTerm, weight: number, subject: PodInfo): void => {
      const value = node.labels[term.topologyKey];
      if (weight === 0 || value === undefined || !termMatches(term, subject.pod, labels)) return;
      let values = scores.get(term.topologyKey);
      if (!values) {
        values = new Map();
        scores.set(term.topologyKey, values);
      }
      values.set(value, (values.get(value) ?? 0) + weight);
    };
    for (const node of own ? snapshot.nodes : snapshot.withAffinity()) {
      for (const other of node.pods) {
        if (!own && !other.hasAffinity) continue;
        for (const term of pod.preferredAffinity) add(node, term, term.weight, other);
        for (const term of pod.preferredAntiAffinity) add(node, term, -term.weight, other);
        // hardPodAffinityWeight is 1: pods that must be near this one draw it a little.
        for (const term of other.requiredAffinity) add(node, term, 1, pod);
        for (const term of other.preferredAffinity) add(node, term, term.weight, pod);
        for (const term of other.preferredAntiAffinity) add(node, term, -term.weight, pod);
      }
    }
    if (scores.size === 0) return false;
    state.write(soft, scores);
    return true;
  },
  score({ state }, node) {
    let sum = 0;
    for (const [key, values] of state.read(soft) ?? []) {
      const value = node.labels[key];
      if (value !== undefined) sum += values.get(value) ?? 0;
    }
    return sum;
  },
  normalize(_cycle, scores) {
    const min = Math.min(...scores);
    const range = Math.max(...scores) - min;
    for (const [i, score] of scores.entries()) {
      scores[i] = range > 0 ? Math.trunc((maxNodeScore * (score - min)) / range) : 0;
    }
  },
};
