import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample, placedExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

const texts =
  /^node(?:\(s\))? (?:unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode|has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod)/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, texts))
    for (const use of claimsOf(snapshot, it.pod)) {
      if (!(use.claim?.spec?.accessModes ?? []).includes('ReadWriteOncePod')) continue;
      const holder = snapshot
        .podsIn(it.pod.namespace)
        .find((other) => other.spec.nodeName && claimsOf(snapshot, other).some((o) => o.name === use.name));
      const sibling =
        holder && holder.workload.kind === it.pod.workload.kind && holder.workload.name === it.pod.workload.name;
      yield pendingClaim(it, {
        says: `The claim ${use.name} may be used by one pod at a time (ReadWriteOncePod), and ${holder ? holder.ref.name : 'another pod'} has it${sibling ? ': the old pod of the same workload, which is to stop only when this one runs' : ''}.`,
        evidence: holder
          ? [computed(holder.ref, `${holder.ref.name} mounts ${use.name} on ${holder.spec.nodeName}`)]
          : [],
        cause: `${it.pod.namespace}/${use.name}`,
        remedy: {
          says: sibling
            ? 'Use the Recreate strategy, so that the old pod goes first.'
            : 'End the other pod, or give this one a claim of its own.',
          commands: sibling
            ? [
                `kubectl patch deployment/${it.pod.workload.name} -n ${it.pod.namespace} -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'`,
              ]
            : [`kubectl get pods -n ${it.pod.namespace} -o wide`],
        },
      });
    }
}

const claim =
  '\n---\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOncePod], volumeName: pv1, resources: {requests: {storage: 1Gi}}}\nstatus: {phase: Bound}\n---\nkind: PersistentVolume\nmetadata: {name: pv1}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOncePod], claimRef: {namespace: default, name: data}}\nstatus: {phase: Bound}\n';

export const readWriteOncePodInUse: Rule = {
  id: 'read-write-once-pod-in-use',
  title: 'Another pod has the claim, which is for one pod only',
  phase: 'scheduling',
  codes: ['SCH-27'],
  symptoms: ['FailedScheduling', 'ReadWriteOncePod access mode already in-use by another pod'],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning:
    'Access mode `ReadWriteOncePod` admits a single pod in the whole cluster. Rolling updates start the new pod first and meet their own old pod.',
  tell: 'The claim has that access mode, and a running pod mounts it.',
  fix: '`strategy: Recreate` for a Deployment, one replica, or a claim for each pod (StatefulSet).',
  sick: [
    {
      when: 'another pod mounts it',
      yaml:
        nodeExample('n1') +
        claim +
        placedExample('old', 'n1', 'cpu: 1m', { spec: mounting('data') }) +
        pendingExample(
          noneOf(
            1,
            '1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
          ),
          { spec: mounting('data') },
        ),
      says: 'old has it',
    },
  ],
  healthy: [],
  check,
};
