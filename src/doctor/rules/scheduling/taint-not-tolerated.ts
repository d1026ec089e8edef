import type { V1Taint, V1Toleration } from '../../../api/generated/types.ts';
import { showTaint } from '../../../kinds/core/node-match.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { editDistance } from '../../text/nearest.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import {
  candidates,
  isConditionTaint,
  isControlPlaneTaint,
  nodeCount,
  pendingClaim,
  pendingFor,
  verdicts,
} from './pending.ts';

/** A toleration of the pod that comes close to the taint, and what is wrong with it. */
function nearMiss(tolerations: readonly V1Toleration[], taint: V1Taint): string | undefined {
  for (const it of tolerations) {
    if (it.key === taint.key) {
      if (it.effect && it.effect !== taint.effect)
        return `a toleration of ${it.key} is there, but for the effect ${it.effect}`;
      if ((it.operator ?? 'Equal') === 'Equal' && (it.value ?? '') !== (taint.value ?? ''))
        return `a toleration of ${it.key} is there, but for the value ${JSON.stringify(it.value ?? '')}`;
    } else if (it.key && editDistance(it.key, taint.key, 2) <= 2)
      return `a toleration is there, but its key is ${it.key}`;
  }
  return undefined;
}

const tolerationFor = (taint: V1Taint): V1Toleration => ({
  key: taint.key,
  operator: taint.value ? 'Equal' : 'Exists',
  ...(taint.value && { value: taint.value }),
  effect: taint.effect,
});

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) had untolerated taint/)) {
    const all = candidates(verdicts(snapshot, it.pod));
    const blocked = all.filter((v) => v.taint && !isConditionTaint(v.taint.key) && !isControlPlaneTaint(v.taint.key));
    // The nodes that would take it once it tolerates the taint come first.
    const best = blocked.find((v) => v.selected && v.short.length === 0 && !v.cordoned) ?? blocked[0];
    if (!best?.taint) continue;
    const { taint } = best;
    const same = blocked.filter((v) => v.taint && showTaint(v.taint) === showTaint(taint));
    const tolerations = it.pod.spec.tolerations ?? [];
    const miss = nearMiss(tolerations, taint);
    const toleration = tolerationFor(taint);
    const change = miss
      ? editPodSpec(snapshot, it.pod, [{ path: ['tolerations'], value: [...tolerations, toleration] }])
      : undefined;
    yield pendingClaim(it, {
      says: `${same.length === 1 ? `Node ${best.name} has` : `${nodeCount(same.length)} have`} the taint ${showTaint(taint)}, which the pod does not tolerate${miss ? `: ${miss}` : ''}.`,
      evidence: [
        ...same
          .slice(0, 4)
          .map((v) => fromSpec({ kind: 'Node', name: v.name }, `taint ${showTaint(taint)}`, 'spec.taints')),
        fromSpec(
          it.pod.ref,
          tolerations.length > 0
            ? `tolerations: ${tolerations.map((t) => `${t.key ?? ''}${t.value ? `=${t.value}` : ''}${t.effect ? `:${t.effect}` : ''}`).join(', ')}`
            : 'no tolerations',
          'spec.tolerations',
        ),
      ],
      field: fieldOf(it.pod, 'tolerations'),
      // Mixed reasons are told by the rule about combinations; alone this is the whole truth.
      rank: same.length === all.length ? 90 : 84,
      remedy: {
        says: `If the pod belongs on such a node, tolerate the taint: ${JSON.stringify(toleration)}; else give it other nodes.`,
        commands: [
          `kubectl taint nodes ${best.name} ${showTaint(taint)}-   # only if the node need not be kept free`,
          'kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints',
        ],
        ...(change && { actions: [change] }),
      },
    });
  }
}

const gpu = nodeExample('n1', { taints: '[{key: dedicated, value: gpu, effect: NoSchedule}]' });
const message = noneOf(1, '1 node(s) had untolerated taint {dedicated: gpu}');

export const taintNotTolerated: Rule = {
  id: 'taint-not-tolerated',
  title: 'A taint keeps the pod away',
  phase: 'scheduling',
  codes: ['SCH-08'],
  symptoms: ['FailedScheduling', 'node(s) had untolerated taint'],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'Somebody keeps these nodes for certain pods: only pods with a toleration that fits the taint (key, value and effect) may go there.',
  tell: 'The taint has a name of your own, not `node.kubernetes.io/…` (those mean that something is wrong with the node). Newer schedulers do not name the taint; the nodes do.',
  fix: 'Add the toleration to the pod template if the pod belongs there; otherwise add nodes without the taint, or remove it.',
  sick: [
    { when: 'every node is kept for others', yaml: gpu + pendingExample(message), says: 'dedicated=gpu:NoSchedule' },
    {
      when: 'the toleration has another value',
      yaml:
        gpu +
        pendingExample(noneOf(1, '1 node(s) had untolerated taint(s)'), {
          spec: '  tolerations: [{key: dedicated, operator: Equal, value: gpus, effect: NoSchedule}]',
        }),
      says: 'but for the value "gpus"',
    },
  ],
  healthy: [],
  check,
};
