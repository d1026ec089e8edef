import { nodes, persistentvolumes } from '../../../api/generated/resources.ts';
import { matchesNodeSelector } from '../../../kinds/core/node-match.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { candidates, pendingClaim, pendingFor, verdicts } from './pending.ts';

const texts =
  /^node\(s\) (?:had volume node affinity conflict|didn't match PersistentVolume's node affinity|had no available volume zone)$/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, texts)) {
    for (const use of claimsOf(snapshot, it.pod)) {
      const volume = snapshot.get(persistentvolumes, use.claim?.spec?.volumeName ?? '');
      const required = volume?.spec?.nodeAffinity?.required;
      if (!volume || !required) continue;
      const name = volume.metadata?.name ?? '';
      const home = snapshot
        .all(nodes)
        .filter((node) => matchesNodeSelector(required, node))
        .map((node) => node.metadata?.name ?? '');
      const blocked = candidates(verdicts(snapshot, it.pod)).filter((v) => home.includes(v.name));
      const where = required.nodeSelectorTerms
        .flatMap((term) => [...(term.matchExpressions ?? []), ...(term.matchFields ?? [])])
        .map((e) => `${e.key} ${e.operator} (${(e.values ?? []).join(', ')})`)
        .join(' or ');
      yield pendingClaim(it, {
        says:
          home.length === 0
            ? `The volume ${name} of claim ${use.name} can be used only where ${where}, and no such node is left.`
            : `The volume ${name} of claim ${use.name} can be used only on ${home.slice(0, 3).join(', ')}, which ${blocked.some((v) => v.short.length > 0) ? 'is full' : blocked.some((v) => v.cordoned) ? 'is cordoned' : blocked.some((v) => v.taint) ? 'has a taint' : 'the pod may not use'}.`,
        evidence: [
          fromSpec({ kind: 'PersistentVolume', name }, where, 'spec.nodeAffinity.required'),
          computed(it.pod.ref, `nodes that fit the volume: ${home.join(', ') || 'none'}`),
        ],
        cause: `volume/${name}`,
        ...(home.length > 0 && { because: home.map((node) => ({ kind: 'Node', name: node })) }),
        remedy: {
          says:
            home.length === 0
              ? 'Bring the node (or a node in that zone) back; where the data may go, delete the claim and let a new volume be made.'
              : `Make room on ${home[0]}, or move the data to a volume elsewhere.`,
          commands: [
            `kubectl get pv ${name} -o jsonpath='{.spec.nodeAffinity}'`,
            ...(home[0] ? [`kubectl describe node ${home[0]}`] : ['kubectl get nodes --show-labels']),
          ],
        },
      });
    }
  }
}

const volume = (host: string): string => `
---
kind: PersistentVolume
metadata: {name: pv1}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  claimRef: {namespace: default, name: data}
  local: {path: /data}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [${host}]}]}]}}
status: {phase: Bound}
`;

export const volumeElsewhere: Rule = {
  id: 'volume-elsewhere',
  title: 'The volume is bound to another place',
  phase: 'scheduling',
  codes: ['SCH-23', 'SCH-25'],
  symptoms: [
    'FailedScheduling',
    'node(s) had volume node affinity conflict',
    "node(s) didn't match PersistentVolume's node affinity",
  ],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'A local disk, or a disk of one zone, can be used only there. The nodes there are gone, full, or ruled out by the pod itself.',
  tell: "Compare `spec.nodeAffinity` of the PersistentVolume with the nodes' labels.",
  fix: 'Capacity where the volume is; or a new volume (the data are lost, or have to be restored).',
  sick: [
    {
      when: "the volume's node is gone",
      yaml:
        nodeExample('n1') +
        volume('gone') +
        claimExample('data', { status: 'phase: Bound', spec: ', volumeName: pv1' }) +
        pendingExample(noneOf(1, '1 node(s) had volume node affinity conflict'), { spec: mounting('data') }),
      says: 'no such node is left',
    },
  ],
  healthy: [],
  check,
};
