import { persistentvolumeclaims } from '../../../api/generated/resources.ts';
import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { refOfClaim } from './pending-claims.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const claim of snapshot.all(persistentvolumeclaims)) {
    if (claim.status?.phase !== 'Lost') continue;
    const ref = refOfClaim(claim);
    const users = snapshot
      .podsIn(ref.namespace ?? '')
      .filter((pod) => pod.spec.volumes?.some((it) => it.persistentVolumeClaim?.claimName === ref.name));
    yield {
      subject: ref,
      says: `The claim ${ref.name} has lost its volume ${claim.spec?.volumeName ?? ''}: the PersistentVolume was deleted while it was bound.`,
      evidence: [fromStatus(ref, 'phase Lost', 'phase')],
      explains: users.map((it) => it.ref),
      cause: `${ref.namespace}/${ref.name}`,
      remedy: {
        says: 'Create the PersistentVolume anew with the same name and claimRef if its disk still exists; otherwise delete the claim and restore the data.',
        commands: [`kubectl get pvc ${ref.name} -n ${ref.namespace} -o yaml`],
        verify: `kubectl get pvc ${ref.name} -n ${ref.namespace}`,
      },
    };
  }
}

export const claimLost: Rule = {
  id: 'claim-lost',
  title: 'The claim has lost its volume',
  phase: 'storage',
  codes: ['STO-08'],
  symptoms: ['Lost', 'ClaimLost'],
  severity: 'error',
  lint: 'never',
  rank: 95,
  meaning: 'Somebody deleted the PersistentVolume by force. The claim does not look for another one.',
  tell: 'Phase `Lost`; *Bound claim has lost its PersistentVolume. Data on the volume is lost!*',
  fix: 'Restore the volume object, or start with a new claim.',
  sick: [
    {
      when: 'the phase is Lost',
      yaml: '\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], volumeName: pv1, resources: {requests: {storage: 1Gi}}}\nstatus: {phase: Lost}\n',
      says: 'has lost its volume pv1',
    },
  ],
  healthy: [],
  check,
};
