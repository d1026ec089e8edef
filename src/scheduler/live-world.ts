import {
  csidrivers,
  csinodes,
  csistoragecapacities,
  namespaces,
  persistentvolumeclaims,
  persistentvolumes,
  poddisruptionbudgets,
  replicasets,
  replicationcontrollers,
  services,
  statefulsets,
  storageclasses,
} from '../api/generated/resources.ts';
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../api/generated/types.ts';
import type { KubeObject, Live } from '../api/resource.ts';
import type { Informer, InformerSet } from '../client/informer.ts';
import type { ClusterChange } from './framework.ts';
import type { World } from './world.ts';

/** The world as informers show it, with volumes and claims that the scheduler has spoken for laid over it. */
export interface LiveWorld extends World {
  whenSynced(): Promise<void>;
  /** Shows this claim or volume until the API server shows a newer one. */
  assumeClaim(claim: V1PersistentVolumeClaim): void;
  assumeVolume(volume: V1PersistentVolume): void;
  /** Takes it back. */
  forgetClaim(key: string): void;
  forgetVolume(name: string): void;
  readonly claims: Informer<V1PersistentVolumeClaim>;
  readonly persistentVolumes: Informer<V1PersistentVolume>;
  /** Calls back for each change that plugins may wait for. Returns a function that stops it. */
  watch(onChange: (kind: ClusterChange, change: { old?: KubeObject; next?: KubeObject }) => void): () => void;
}

export function liveWorld(informers: InformerSet): LiveWorld {
  const all = {
    namespaces: informers.informer(namespaces),
    services: informers.informer(services),
    replicaSets: informers.informer(replicasets),
    statefulSets: informers.informer(statefulsets),
    controllers: informers.informer(replicationcontrollers),
    claims: informers.informer(persistentvolumeclaims),
    volumes: informers.informer(persistentvolumes),
    classes: informers.informer(storageclasses),
    csiNodes: informers.informer(csinodes),
    csiDrivers: informers.informer(csidrivers),
    capacities: informers.informer(csistoragecapacities),
    budgets: informers.informer(poddisruptionbudgets),
  };
  const assumedClaims = new Map<string, V1PersistentVolumeClaim>();
  const assumedVolumes = new Map<string, V1PersistentVolume>();
  const overlay = <T extends KubeObject>(assumed: Map<string, T>, key: string, shown: T | undefined): T | undefined => {
    const own = assumed.get(key);
    if (!own) return shown;
    if (shown && own.metadata?.resourceVersion === shown.metadata?.resourceVersion) return own;
    assumed.delete(key);
    return shown;
  };
  const none: Readonly<Record<string, string>> = Object.freeze({});
  return {
    claims: all.claims,
    persistentVolumes: all.volumes,
    whenSynced: async () => {
      await Promise.all(Object.values(all).map((it) => it.whenSynced()));
    },
    namespaceLabels: (name) => all.namespaces.get(name)?.metadata.labels ?? none,
    services: (namespace) => all.services.byIndex('namespace', namespace),
    ownerSelector(apiVersion, kind, namespace, name) {
      const key = `${namespace}/${name}`;
      switch (`${apiVersion}/${kind}`) {
        case 'apps/v1/ReplicaSet':
          return all.replicaSets.get(key)?.spec?.selector;
        case 'apps/v1/StatefulSet':
          return all.statefulSets.get(key)?.spec?.selector;
        case 'v1/ReplicationController': {
          const matchLabels = all.controllers.get(key)?.spec?.selector;
          return matchLabels && { matchLabels };
        }
        default:
          return undefined;
      }
    },
    claim: (namespace, name) => overlay(assumedClaims, `${namespace}/${name}`, all.claims.get(`${namespace}/${name}`)),
    volume: (name) => overlay(assumedVolumes, name, all.volumes.get(name)),
    volumes: () =>
      assumedVolumes.size === 0
        ? all.volumes.list()
        : all.volumes.list().map((it) => overlay(assumedVolumes, it.metadata.name, it) ?? it),
    storageClass: (name) => all.classes.get(name),
    csiNode: (name) => all.csiNodes.get(name),
    csiDriver: (name) => all.csiDrivers.get(name),
    csiCapacities: () => all.capacities.list(),
    budgets: () => all.budgets.list(),
    claimInUse: () => false,
    assumeClaim: (claim) => void assumedClaims.set(`${claim.metadata?.namespace}/${claim.metadata?.name}`, claim),
    assumeVolume: (volume) => void assumedVolumes.set(volume.metadata?.name ?? '', volume),
    forgetClaim: (key) => void assumedClaims.delete(key),
    forgetVolume: (name) => void assumedVolumes.delete(name),
    watch(onChange) {
      const follow = <T extends KubeObject>(
        informer: Informer<T>,
        add?: ClusterChange,
        update?: ClusterChange,
        remove?: ClusterChange,
      ): (() => void) =>
        informer.subscribe({
          ...(add && { add: (next: Live<T>) => onChange(add, { next }) }),
          ...(update && { update: (next: Live<T>, old: Live<T>) => onChange(update, { old, next }) }),
          ...(remove && { remove: (old: Live<T>) => onChange(remove, { old }) }),
        });
      const stops = [
        follow(all.claims, 'PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update', 'PersistentVolumeClaim/Delete'),
        follow(all.volumes, 'PersistentVolume/Add', 'PersistentVolume/Update'),
        follow(all.classes, 'StorageClass/Add', 'StorageClass/Update'),
        follow(all.csiNodes, 'CSINode/Add', 'CSINode/Update'),
        follow(all.csiDrivers, undefined, 'CSIDriver/Update'),
        follow(all.capacities, 'CSIStorageCapacity/Add', 'CSIStorageCapacity/Update'),
        follow(all.namespaces, undefined, 'Namespace/Update'),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
