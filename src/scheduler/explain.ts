import type { V1Node, V1Pod } from '../api/generated/types.ts';
import { assert } from '../base/assert.ts';
import { seededRandom } from '../base/random.ts';
import { schedulerCache } from './cache.ts';
import { noNominations, preFilter, schedulePod, scoreNodes } from './cycle.ts';
import { fitMessage, noNodes } from './diagnosis.ts';
import type { Rejection, Snapshot } from './framework.ts';
import { podInfoOf } from './pod-info.ts';
import { planPreemption } from './preemption.ts';
import { defaultProfile } from './profile.ts';
import type { World } from './world.ts';

/** One plugin's word on one node. */
export interface PluginVerdict {
  readonly plugin: string;
  readonly passed: boolean;
  /** kube-scheduler's reasons where it did not. */
  readonly reasons: readonly string[];
  /** What exactly stood in the way, for a person. */
  readonly detail?: string;
}

export interface NodeVerdict {
  readonly node: string;
  readonly fits: boolean;
  /** Every filter that has a say, not only up to the first rejection. */
  readonly verdicts: readonly PluginVerdict[];
  /** Of nodes that fit: each plugin's score (0 to 100) and its weight. */
  readonly scores: readonly { readonly plugin: string; readonly score: number; readonly weight: number }[];
  readonly total: number;
}

export interface Explanation {
  /** What kube-scheduler would say when nothing fits; otherwise where it would go. */
  readonly message: string;
  /** Refused before any node was looked at. */
  readonly refused?: Rejection;
  /** Fitting nodes first, best first; then by name. */
  readonly nodes: readonly NodeVerdict[];
  /** The nodes with the highest score. */
  readonly best: readonly string[];
  /** Lower pods that would be evicted to make room, where that is what would happen. */
  readonly preemption?: { readonly node: string; readonly victims: readonly string[] };
}

/** A snapshot of plain objects, as read from any cluster. Pods without a node, or finished, hold nothing. */
export function snapshotOf(parts: {
  readonly nodes: readonly V1Node[];
  readonly pods: readonly V1Pod[];
  readonly world?: Partial<World>;
}): Snapshot {
  const cache = schedulerCache(parts.world);
  for (const node of parts.nodes) cache.setNode(node);
  for (const pod of parts.pods) {
    if (pod.spec?.nodeName && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') {
      cache.setPod(podInfoOf(pod));
    }
  }
  return cache;
}

/** The pod as it was before it got a node, so that the question makes sense for a running one too. */
const unplaced = (pod: V1Pod): V1Pod => {
  if (!pod.spec?.nodeName) return pod;
  const { nodeName: _, ...spec } = pod.spec;
  return { ...pod, spec: { ...spec, containers: spec.containers } };
};

/** Each node's verdict by each plugin, pure. A pod that runs already is asked about as if it did not. */
export function explain(snapshot: Snapshot, asked: V1Pod): Explanation {
  const pod = unplaced(asked);
  const info = podInfoOf(pod);
  for (const plugin of defaultProfile.plugins) {
    const gate = plugin.preEnqueue?.(pod);
    if (gate)
      return { message: gate.reasons.join(', '), refused: { ...gate, plugin: plugin.name }, nodes: [], best: [] };
  }
  if (snapshot.nodes.length === 0) return { message: noNodes, nodes: [], best: [] };
  const { cycle, filters, rejection, nodeNames, narrowedBy } = preFilter(snapshot, info, defaultProfile);
  const result = schedulePod(snapshot, info, defaultProfile, {
    random: seededRandom(1),
    start: 0,
    nominations: noNominations,
  });
  let message = '';
  let preemption: Explanation['preemption'];
  if ('diagnosis' in result.outcome) {
    const plan = planPreemption(result, result.outcome.diagnosis, noNominations, seededRandom(1));
    message = fitMessage(result.outcome.diagnosis, 'message' in plan ? plan.message : '');
    if ('preempt' in plan) {
      preemption = { node: plan.preempt.node, victims: plan.preempt.victims.map((it) => it.key) };
    }
  }
  if (rejection) return { message, refused: rejection, nodes: [], best: [] };
  const verdicts = snapshot.nodes.map((node) => {
    const list: PluginVerdict[] = [];
    if (nodeNames && !nodeNames.has(node.name)) {
      const names = [...narrowedBy].sort().join(' ');
      list.push({
        plugin: [...narrowedBy].join(','),
        passed: false,
        reasons: [`node(s) didn't satisfy plugin(s) [${names}]`],
      });
    }
    for (const plugin of filters) {
      const found = plugin.filter?.(cycle, node);
      const detail = found && plugin.explain?.(cycle, node);
      list.push({ plugin: plugin.name, passed: !found, reasons: found?.reasons ?? [], ...(detail && { detail }) });
    }
    return { node, list, fits: list.every((it) => it.passed) };
  });
  const fitting = verdicts.filter((it) => it.fits).map((it) => it.node);
  const scores = fitting.map((): { plugin: string; score: number; weight: number }[] => []);
  const totals =
    fitting.length === 0
      ? []
      : scoreNodes(cycle, defaultProfile, fitting, (plugin, weight, given) => {
          for (const [i, score] of given.entries()) scores[i]?.push({ plugin, score, weight });
        });
  const top = Math.max(...totals);
  const best = fitting.filter((_, i) => totals[i] === top).map((it) => it.name);
  const nodes = verdicts.map(({ node, list, fits }): NodeVerdict => {
    const at = fitting.indexOf(node);
    return { node: node.name, fits, verdicts: list, scores: scores[at] ?? [], total: totals[at] ?? 0 };
  });
  nodes.sort((a, b) => Number(b.fits) - Number(a.fits) || b.total - a.total || (a.node < b.node ? -1 : 1));
  return {
    message: best.length > 0 ? `would be assigned to ${best.join(' or ')}` : message,
    nodes,
    best,
    ...(preemption && { preemption }),
  };
}

/** The same question twice: as things are, and with the changes made in thought. */
export function whatIf(
  parts: { readonly nodes: readonly V1Node[]; readonly pods: readonly V1Pod[]; readonly world?: Partial<World> },
  pod: V1Pod,
  change: {
    readonly pod?: V1Pod;
    /** Replaces nodes of the same name; others are added. */
    readonly nodes?: readonly V1Node[];
    /** Pods to imagine away, by `namespace/name`. */
    readonly without?: readonly string[];
  },
): { readonly before: Explanation; readonly after: Explanation } {
  const uid = pod.metadata?.uid;
  const others = parts.pods.filter((it) => uid === undefined || it.metadata?.uid !== uid);
  const replaced = new Map(parts.nodes.map((it) => [it.metadata?.name ?? '', it]));
  for (const node of change.nodes ?? []) {
    assert(node.metadata?.name, 'an imagined node needs a name');
    replaced.set(node.metadata.name, node);
  }
  const gone = new Set(change.without ?? []);
  const kept = others.filter((it) => !gone.has(`${it.metadata?.namespace}/${it.metadata?.name}`));
  return {
    before: explain(snapshotOf({ ...parts, pods: others }), pod),
    after: explain(snapshotOf({ ...parts, nodes: [...replaced.values()], pods: kept }), change.pod ?? pod),
  };
}
