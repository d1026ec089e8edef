import type { V1PersistentVolume, V1StorageClass } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { type Claim, modeOf, provisionedBy, selectedNode } from './match.ts';

/** The built-in provisioner: directories on the node that the scheduler chose. */
export const localPathProvisioner = 'coracle.dev/local-path';

/** The volume for a claim of a local-path class, under `directory` of its node. Throws what the event says when it cannot be. */
export function localVolume(claim: Claim, storageClass: Live<V1StorageClass>, directory: string): V1PersistentVolume {
  if (modeOf(claim) === 'Block') throw new Error(`${localPathProvisioner} does not support block volume provisioning`);
  if (claim.spec?.selector) throw new Error('claim.Spec.Selector is not supported');
  const name = `pvc-${claim.metadata.uid}`;
  const node = claim.metadata.annotations?.[selectedNode];
  const storage = claim.spec?.resources?.requests?.['storage'] ?? '0';
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [provisionedBy]: localPathProvisioner } },
    spec: {
      capacity: { storage },
      accessModes: claim.spec?.accessModes ?? [],
      volumeMode: 'Filesystem',
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      ...(storageClass.mountOptions && { mountOptions: storageClass.mountOptions }),
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: claim.metadata.namespace ?? '',
        name: claim.metadata.name,
        uid: claim.metadata.uid,
        resourceVersion: claim.metadata.resourceVersion,
      },
      hostPath: {
        path: `${directory}/${name}_${claim.metadata.namespace}_${claim.metadata.name}`,
        type: 'DirectoryOrCreate',
      },
      ...(node && {
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
            ],
          },
        },
      }),
    },
  };
}
