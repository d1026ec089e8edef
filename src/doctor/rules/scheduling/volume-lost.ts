import { persistentvolumes } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { pendingClaim, pendingPods } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingPods(snapshot))
    for (const use of claimsOf(snapshot, it.pod)) {
      const volume = use.claim?.spec?.volumeName;
      if (!volume || use.claim?.metadata?.deletionTimestamp || !snapshot.lacks(persistentvolumes, volume)) continue;
      yield pendingClaim(it, {
        says: `The claim ${use.name} is bound to the volume ${volume}, which no longer exists.`,
        evidence: [
          fromSpec(use.ref, `volumeName: ${volume}`, 'spec.volumeName'),
          fromAbsence({ kind: 'PersistentVolume', name: volume }),
        ],
        cause: `volume/${volume}`,
        remedy: {
          says: 'Create the PersistentVolume anew if its disk is still there; otherwise delete the claim and restore the data to a new one.',
          commands: [
            `kubectl get pvc ${use.name} -n ${it.pod.namespace} -o yaml`,
            `kubectl delete pvc ${use.name} -n ${it.pod.namespace}   # only when the data are lost anyway`,
          ],
        },
      });
    }
}

export const volumeLost: Rule = {
  id: 'volume-lost',
  title: 'The volume of the claim is gone',
  phase: 'scheduling',
  codes: ['SCH-29'],
  symptoms: ['FailedScheduling', 'bound to non-existent persistentvolume', 'Lost'],
  severity: 'error',
  lint: 'never',
  rank: 94,
  meaning: 'The claim still names a PersistentVolume that has been deleted. Its phase is `Lost`.',
  tell: '`bound to non-existent persistentvolume`, or phase `Lost` of the claim.',
  fix: 'Restore the PersistentVolume object with the same name and `claimRef` if the disk exists, or make a new claim.',
  sick: [
    {
      when: 'the volume has been deleted',
      yaml:
        nodeExample('n1') +
        claimExample('data', { status: 'phase: Bound', spec: ', volumeName: pv1' }) +
        pendingExample(noneOf(1, 'persistentvolumeclaim "data" bound to non-existent persistentvolume "pv1"'), {
          spec: mounting('data'),
        }),
      says: 'pv1, which no longer exists',
    },
  ],
  healthy: [],
  check,
};
