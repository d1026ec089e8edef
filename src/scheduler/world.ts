import type {
  V1CSIDriver,
  V1CSINode,
  V1CSIStorageCapacity,
  V1LabelSelector,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1PodDisruptionBudget,
  V1Service,
  V1StorageClass,
} from '../api/generated/types.ts';

/** What plugins ask of the rest of the cluster, beside nodes and pods. */
export interface World {
  namespaceLabels(namespace: string): Readonly<Record<string, string>>;
  services(namespace: string): readonly V1Service[];
  /** The selector of a ReplicaSet, StatefulSet or ReplicationController. */
  ownerSelector(apiVersion: string, kind: string, namespace: string, name: string): V1LabelSelector | undefined;
  claim(namespace: string, name: string): V1PersistentVolumeClaim | undefined;
  volume(name: string): V1PersistentVolume | undefined;
  volumes(): readonly V1PersistentVolume[];
  storageClass(name: string): V1StorageClass | undefined;
  csiNode(name: string): V1CSINode | undefined;
  csiDriver(name: string): V1CSIDriver | undefined;
  csiCapacities(): readonly V1CSIStorageCapacity[];
  budgets(): readonly V1PodDisruptionBudget[];
  /** True while a pod on some node uses the claim. */
  claimInUse(namespace: string, name: string): boolean;
}

/** A world with nothing in it, to spread over. */
export const emptyWorld: World = {
  namespaceLabels: (namespace) => ({ 'kubernetes.io/metadata.name': namespace }),
  services: () => [],
  ownerSelector: () => undefined,
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
  csiDriver: () => undefined,
  csiCapacities: () => [],
  budgets: () => [],
  claimInUse: () => false,
};
