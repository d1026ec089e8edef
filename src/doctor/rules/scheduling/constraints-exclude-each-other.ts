import { showTaint } from '../../../kinds/core/node-match.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import {
  candidates,
  type NodeVerdict,
  nodeCount,
  pendingClaim,
  pendingPods,
  verdicts,
  workloadArguments,
} from './pending.ts';

/** Why a node refuses, in words. */
const reasonsOf = (v: NodeVerdict): readonly string[] => [
  ...(v.selected ? [] : ['does not match the node selector or affinity']),
  ...(v.taint ? [`has the taint ${showTaint(v.taint)}`] : []),
  ...(v.cordoned ? ['is cordoned'] : []),
  ...v.short.map((it) => (it === 'pods' ? 'has all the pods it may have' : `has too little ${it}`)),
];

/** The one step that would open a node, cheapest first; undefined where more than one thing is in the way. */
function cheapest(
  all: readonly NodeVerdict[],
  workload: string,
): { readonly says: string; readonly command: string } | undefined {
  const one = all.filter((v) => reasonsOf(v).length === 1);
  const cordoned = one.find((v) => v.cordoned);
  if (cordoned)
    return { says: `Uncordon ${cordoned.name}, which would take it.`, command: `kubectl uncordon ${cordoned.name}` };
  const small = one.find((v) => v.short.length > 0);
  if (small)
    return {
      says: `Ask for less ${small.short.join(' and ')}, or make room on ${small.name}, which is the right node otherwise.`,
      command: `kubectl set resources ${workload} --requests=${small.short[0]}=LESS`,
    };
  const tainted = one.find((v) => v.taint);
  if (tainted?.taint)
    return {
      says: `Tolerate ${showTaint(tainted.taint)} of ${tainted.name}, which would take it.`,
      command: `kubectl taint nodes ${tainted.name} ${showTaint(tainted.taint)}-   # only if the node need not be kept free`,
    };
  return undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingPods(snapshot)) {
    const all = candidates(verdicts(snapshot, it.pod));
    if (all.length < 2 || it.message === '' || all.some((v) => reasonsOf(v).length === 0)) continue;
    const kinds = new Set(
      all.map((v) =>
        reasonsOf(v)
          .map((r) => r.replace(/ the taint .*/, ' a taint'))
          .join('; '),
      ),
    );
    if (kinds.size < 2) continue;
    const way = cheapest(all, workloadArguments(it.pod));
    const matching = all.filter((v) => v.selected);
    yield pendingClaim(it, {
      says:
        matching.length > 0 && matching.length < all.length && matching.every((v) => v.short.length > 0)
          ? `The ${matching.length === 1 ? 'only node' : nodeCount(matching.length)} that the pod may go to (${matching
              .slice(0, 3)
              .map((v) => v.name)
              .join(
                ', ',
              )}) ${matching.length === 1 ? 'has' : 'have'} too little ${[...new Set(matching.flatMap((v) => v.short))].join(' and ')} left; the others are ruled out by its own rules.`
          : `Each of the ${nodeCount(all.length)} refuses the pod for a reason of its own; no single rule is to blame.`,
      evidence: all
        .slice(0, 8)
        .map((v) => computed({ kind: 'Node', name: v.name }, `${v.name} ${reasonsOf(v).join(' and ')}`)),
      remedy: {
        says: way?.says ?? 'Relax one of the rules, or add a node that fits them all.',
        commands: way ? [way.command] : ['kubectl get nodes --show-labels', 'kubectl describe nodes'],
      },
    });
  }
}

export const constraintsExcludeEachOther: Rule = {
  id: 'constraints-exclude-each-other',
  title: 'Every node refuses for another reason',
  phase: 'scheduling',
  codes: ['SCH-13'],
  symptoms: ['FailedScheduling', "1 Insufficient memory, 2 node(s) didn't match Pod's node affinity/selector"],
  severity: 'error',
  lint: 'cluster',
  rank: 91,
  meaning:
    "Each rule of the pod could be kept by some node, but no node keeps them all. The scheduler's sentence counts the reasons without saying which node gave which.",
  tell: 'The table of nodes: the node with the right label is full, the empty one has the wrong label.',
  fix: 'Relax the cheapest rule. The finding names a node that only one thing keeps away.',
  sick: [
    {
      when: 'the node with the label is full and the empty one lacks it',
      yaml:
        nodeExample('n1', { labels: 'disktype: ssd' }) +
        placedExample('big', 'n1', 'memory: 8Gi') +
        nodeExample('n2', { labels: 'disktype: hdd' }) +
        pendingExample(noneOf(2, '1 Insufficient memory', "1 node(s) didn't match Pod's node affinity/selector"), {
          spec: '  nodeSelector: {disktype: ssd}',
          container: '    resources: {requests: {memory: 1Gi}}',
        }),
      says: 'only node that the pod may go to (n1) has too little memory left',
    },
  ],
  healthy: [],
  check,
};
