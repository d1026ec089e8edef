import { storageclasses } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) did not have enough free storage$/)) {
    const unbound = claimsOf(snapshot, it.pod).filter((use) => use.claim && !use.claim.spec?.volumeName);
    const [first] = unbound;
    const size = first?.claim?.spec?.resources?.requests?.['storage'] ?? '';
    const className = first?.claim?.spec?.storageClassName ?? '';
    yield pendingClaim(it, {
      says: `The storage behind class ${className || '(default)'} reports less free space than the claim ${first?.name ?? ''} asks for (${size}), wherever the pod may run.`,
      evidence: unbound.map((use) =>
        computed(
          use.ref,
          `${use.name} asks for ${use.claim?.spec?.resources?.requests?.['storage'] ?? ''} of ${use.claim?.spec?.storageClassName ?? ''} (${snapshot.get(storageclasses, className)?.provisioner ?? 'unknown provisioner'})`,
        ),
      ),
      cause: `capacity/${className}`,
      remedy: {
        says: 'Free space in the storage, ask for less, or use another class.',
        commands: ['kubectl get csistoragecapacities -A', `kubectl get pvc -n ${it.pod.namespace}`],
      },
    });
  }
}

export const storageCapacity: Rule = {
  id: 'storage-capacity',
  title: 'The storage has too little free space',
  phase: 'scheduling',
  codes: ['SCH-28'],
  symptoms: ['FailedScheduling', 'node(s) did not have enough free storage'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'The CSI driver reports free capacity for each place (CSIStorageCapacity), and the scheduler keeps the pod from where the new volume would not fit.',
  tell: '`kubectl get csistoragecapacities -A` shows less than the claim asks for.',
  fix: 'Free or add storage, or make the claim smaller.',
  sick: [
    {
      when: 'the scheduler says so',
      yaml:
        nodeExample('n1') +
        '\n---\nkind: StorageClass\nmetadata: {name: lvm}\nprovisioner: topolvm.io\nvolumeBindingMode: WaitForFirstConsumer\n' +
        claimExample('data', { spec: ', storageClassName: lvm' }) +
        pendingExample(noneOf(1, '1 node(s) did not have enough free storage'), { spec: mounting('data') }),
      says: 'class lvm',
    },
  ],
  healthy: [],
  check,
};
