import { persistentvolumes, storageclasses } from '../../../api/generated/resources.ts';
import { computed, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import {
  claimClaim,
  claimFault,
  classExample,
  classNames,
  defaultClass,
  pendingClaimExample,
  pendingClaims,
} from './pending-claims.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  for (const it of pendingClaims(snapshot)) {
    if (it.className || it.claim.spec?.volumeName || !snapshot.sees(storageclasses)) continue;
    const explicit = it.claim.spec?.storageClassName === '';
    if (!explicit && defaultClass(snapshot)) continue;
    const free = snapshot
      .all(persistentvolumes)
      .filter((pv) => !pv.spec?.storageClassName && pv.status?.phase === 'Available');
    yield claimClaim(it, {
      says: explicit
        ? `The claim ${it.ref.name} asks for no storage class at all (storageClassName: ""), and no prepared volume without a class fits it.`
        : `The claim ${it.ref.name} names no storage class, and the cluster has no default one.`,
      evidence: [
        fromSpec(it.ref, explicit ? 'storageClassName: ""' : 'no storageClassName', 'spec.storageClassName'),
        computed(
          it.ref,
          `storage classes: ${listed(classNames(snapshot))}; free volumes without a class: ${free.length}`,
        ),
      ],
      cause: explicit ? `${it.ref.namespace}/${it.ref.name}` : 'no-default-class',
      field: { object: it.ref, path: 'spec.storageClassName' },
      remedy: {
        says: explicit
          ? 'Name a class, or create a PersistentVolume that fits.'
          : 'Make one class the default, or name one in the claim.',
        commands: [
          'kubectl get storageclass',
          ...(classNames(snapshot)[0] && !explicit
            ? [
                `kubectl patch storageclass ${classNames(snapshot)[0]} -p '{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}'`,
              ]
            : []),
        ],
      },
    });
  }
}

export const noDefaultStorageClass: Rule = {
  id: 'no-default-storage-class',
  title: 'No storage class is named, and there is no default',
  phase: 'storage',
  codes: ['STO-02'],
  symptoms: ['Pending', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'Without a class nothing makes a volume for the claim; it waits for one made by hand. An empty string means exactly that, on purpose.',
  tell: '`no persistent volumes available for this claim and no storage class is set`.',
  fix: 'Mark a class as the default (new claims only), name a class, or make a volume.',
  sick: [
    { when: 'no class is the default', yaml: pendingClaimExample() + classExample('standard'), says: 'no default one' },
    {
      when: 'the empty class is asked for',
      yaml: pendingClaimExample('storageClassName: ""') + classExample('standard', 'default'),
      says: 'storageClassName: ""',
    },
  ],
  healthy: [],
  fault: { manifest: claimFault('storageClassName: ""'), runtimes: ['sim', 'containerd'], fixable: false },
  check,
};
