import { persistentvolumes } from '../../../api/generated/resources.ts';
import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimClaim, pendingClaimExample, pendingClaims } from './pending-claims.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingClaims(snapshot)) {
    const released = snapshot
      .all(persistentvolumes)
      .find(
        (pv) =>
          pv.status?.phase === 'Released' &&
          (pv.metadata?.name === it.claim.spec?.volumeName ||
            (pv.spec?.claimRef?.namespace === it.ref.namespace && pv.spec?.claimRef?.name === it.ref.name)) &&
          pv.spec?.claimRef?.uid !== undefined &&
          pv.spec.claimRef.uid !== it.claim.metadata?.uid,
      );
    if (!released) continue;
    const name = released.metadata?.name ?? '';
    const target = { kind: 'PersistentVolume', name };
    yield claimClaim(it, {
      says: `The volume ${name} still belongs to an earlier claim of the same name (${it.ref.name}), so the new one cannot have it.`,
      evidence: [fromStatus(target, `phase Released, claimRef.uid ${released.spec?.claimRef?.uid}`, 'phase')],
      because: [],
      remedy: {
        says: 'Take the old claim off the volume; its data stay.',
        commands: [
          `kubectl patch pv ${name} --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"},{"op":"remove","path":"/spec/claimRef/resourceVersion"}]'`,
        ],
        actions: [{ kind: 'patch', target, operations: [{ op: 'remove', path: '/spec/claimRef/uid' }] }],
      },
    });
  }
}

export const volumeReleased: Rule = {
  id: 'volume-released',
  title: 'The volume still belongs to a claim that was deleted',
  phase: 'storage',
  codes: ['STO-07'],
  symptoms: ['Pending', 'Released'],
  severity: 'error',
  lint: 'never',
  rank: 94,
  meaning:
    'With reclaim policy Retain a volume outlives its claim and keeps its `claimRef`, with the uid of the claim that is gone. A new claim of the same name has another uid.',
  tell: 'The volume is `Released`; its `claimRef.uid` is not that of the claim.',
  fix: 'Remove `claimRef.uid`; the volume is then bound to the new claim.',
  sick: [
    {
      when: 'the claim was made anew',
      yaml: `${pendingClaimExample('volumeName: pv1, storageClassName: manual')}---\nkind: PersistentVolume\nmetadata: {name: pv1}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: manual, claimRef: {namespace: default, name: data, uid: old}, hostPath: {path: /data}}\nstatus: {phase: Released}\n`,
      says: 'an earlier claim',
    },
  ],
  healthy: [],
  check,
};
