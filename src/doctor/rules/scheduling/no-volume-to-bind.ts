import { persistentvolumes, storageclasses } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) didn't find available persistent volumes to bind$/))
    for (const use of claimsOf(snapshot, it.pod)) {
      if (!use.claim || use.claim.spec?.volumeName) continue;
      const className = use.claim.spec?.storageClassName ?? '';
      const storageClass = snapshot.get(storageclasses, className);
      const size = use.claim.spec?.resources?.requests?.['storage'] ?? '';
      const offers = snapshot.all(persistentvolumes).filter((pv) => (pv.spec?.storageClassName ?? '') === className);
      yield pendingClaim(it, {
        says: `No free volume of class ${className || '(none)'} fits the claim ${use.name} (${size}, ${(use.claim.spec?.accessModes ?? []).join(', ')}) on any node; the class makes none by itself.`,
        evidence: [
          computed({ kind: 'StorageClass', name: className }, `provisioner ${storageClass?.provisioner ?? 'unknown'}`),
          ...offers
            .slice(0, 5)
            .map((pv) =>
              computed(
                { kind: 'PersistentVolume', name: pv.metadata?.name ?? '' },
                `${pv.metadata?.name}: ${pv.status?.phase}, ${pv.spec?.capacity?.['storage'] ?? ''}, ${(pv.spec?.accessModes ?? []).join(', ')}`,
              ),
            ),
          ...(offers.length === 0 ? [computed(use.ref, `there is no volume of class ${className}`)] : []),
        ],
        cause: `${it.pod.namespace}/${use.name}`,
        remedy: {
          says: 'Create a PersistentVolume of this class, size and access mode, free one, or use a class that makes volumes.',
          commands: ['kubectl get pv', 'kubectl get storageclass'],
        },
      });
    }
}

const local =
  '---\nkind: StorageClass\nmetadata: {name: local}\nprovisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer\n';

export const noVolumeToBind: Rule = {
  id: 'no-volume-to-bind',
  title: 'No prepared volume fits the claim',
  phase: 'scheduling',
  codes: ['SCH-24'],
  symptoms: ['FailedScheduling', "node(s) didn't find available persistent volumes to bind"],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning:
    'The class has no provisioner (`kubernetes.io/no-provisioner`): volumes are made by hand beforehand, and none that is free fits.',
  tell: 'The volumes of that class: bound or `Released`, too small, another access mode, or bound to another node.',
  fix: 'Create a volume that fits. A `Released` volume is free again once its `spec.claimRef` is removed.',
  sick: [
    {
      when: 'the class has no volume',
      yaml:
        nodeExample('n1') +
        local +
        claimExample('data', { spec: ', storageClassName: local' }) +
        pendingExample(noneOf(1, "1 node(s) didn't find available persistent volumes to bind"), {
          spec: mounting('data'),
        }),
      says: 'No free volume of class local',
    },
  ],
  healthy: [],
  fault: {
    manifest: `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: by-hand}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: by-hand, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
${placementFault('      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]')}`,
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
