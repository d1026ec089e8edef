import { storageclasses } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import {
  claimClaim,
  claimFault,
  classExample,
  classNames,
  pendingClaimExample,
  pendingClaims,
} from './pending-claims.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingClaims(snapshot)) {
    if (!it.className || it.claim.spec?.volumeName || !snapshot.lacks(storageclasses, it.className)) continue;
    const names = classNames(snapshot);
    if (snapshot.stage === 'manifests' && names.length === 0) continue;
    const near = nearestOne(it.className, names) ?? (names.length === 1 ? names[0] : undefined);
    yield claimClaim(it, {
      says: `The claim ${it.ref.name} asks for the storage class ${it.className}, which does not exist${near ? ` (did you mean ${near}?)` : ''}.`,
      evidence: [
        fromSpec(it.ref, `storageClassName: ${it.className}`, 'spec.storageClassName'),
        fromAbsence({ kind: 'StorageClass', name: it.className }, listed(names)),
      ],
      cause: `class/${it.className}`,
      field: { object: it.ref, path: 'spec.storageClassName' },
      remedy: {
        says: `${near ? `Use ${near}` : 'Use a class that exists'} (the claim has to be made anew: its class cannot be changed), or create the class.`,
        commands: [
          'kubectl get storageclass',
          `kubectl delete pvc ${it.ref.name} -n ${it.ref.namespace}   # it holds nothing yet`,
        ],
        ...(near && {
          actions: [
            {
              kind: 'patch' as const,
              target: it.ref,
              replace: true,
              operations: [{ op: 'replace' as const, path: '/spec/storageClassName', value: near }],
            },
          ],
        }),
      },
    });
  }
}

export const storageClassMissing: Rule = {
  id: 'storage-class-missing',
  title: 'The storage class does not exist',
  phase: 'storage',
  codes: ['STO-01'],
  symptoms: ['Pending', 'ProvisioningFailed', 'storageclass.storage.k8s.io "…" not found'],
  severity: 'error',
  lint: 'cluster',
  rank: 93,
  meaning:
    'The claim names a StorageClass that the cluster does not have; class names differ from cluster to cluster (`standard`, `gp3`, `local-path`).',
  tell: '`storageclass.storage.k8s.io "NAME" not found` as an event of the claim; `kubectl get storageclass` lists others.',
  fix: 'Make the claim anew with a class that exists, or without one, so that the default is taken.',
  sick: [
    {
      when: 'there is no such class',
      yaml: pendingClaimExample('storageClassName: fast-ssd') + classExample('fast-hdd'),
      says: 'did you mean fast-hdd',
    },
  ],
  healthy: [],
  fault: { manifest: claimFault('storageClassName: no-such-class'), runtimes: ['sim', 'containerd'], fixable: false },
  check,
};
