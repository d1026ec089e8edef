import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^pod has unbound immediate PersistentVolumeClaims/)) {
    const unbound = claimsOf(snapshot, it.pod).filter(
      ({ claim }) => claim && !claim.spec?.volumeName && !claim.metadata?.deletionTimestamp,
    );
    const names = unbound.map((use) => use.name);
    yield pendingClaim(it, {
      says: `The pod waits for its volume claim${names.length > 1 ? 's' : ''} ${names.join(', ') || '(unknown)'}, which no volume has been bound to.`,
      evidence: unbound.map((use) =>
        fromStatus(
          use.ref,
          `phase ${use.claim?.status?.phase ?? 'Pending'}, storage class ${use.claim?.spec?.storageClassName ?? '(none named)'}`,
          'phase',
        ),
      ),
      because: unbound.map((use) => use.ref),
      cause: names.length > 0 ? `${it.pod.namespace}/${names.join(',')}` : it.pod.ref.name,
      remedy: {
        says: 'See why the claim is not bound: its storage class, its provisioner, or a volume that fits.',
        commands:
          names.length > 0
            ? names.map((name) => `kubectl describe pvc ${name} -n ${it.pod.namespace}`)
            : [`kubectl get pvc -n ${it.pod.namespace}`],
      },
    });
  }
}

export const claimUnbound: Rule = {
  id: 'claim-unbound',
  title: 'The pod waits for its volume claim',
  phase: 'scheduling',
  codes: ['SCH-20'],
  symptoms: ['FailedScheduling', 'pod has unbound immediate PersistentVolumeClaims'],
  severity: 'error',
  lint: 'never',
  rank: 70,
  meaning:
    'With binding mode Immediate a claim has to be bound before the scheduler looks at the pod. The trouble is with the claim, not with the pod.',
  tell: 'The claim is `Pending`. Findings about the claim say why; this one is then their consequence.',
  fix: 'Repair what keeps the claim from being bound.',
  sick: [
    {
      when: 'the claim is pending',
      yaml:
        nodeExample('n1') +
        claimExample('data', { spec: ', storageClassName: fast' }) +
        '---\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: example.com/fast\nvolumeBindingMode: Immediate\n' +
        pendingExample(noneOf(1, 'pod has unbound immediate PersistentVolumeClaims'), { spec: mounting('data') }),
      says: 'volume claim data',
    },
  ],
  healthy: [],
  check,
};
