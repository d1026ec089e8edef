import { type Plugin, type StateKey, unresolvable } from '../framework.ts';
import { classOf } from '../volumes.ts';

const labels = [
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
];
const stable: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};

interface Demand {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}
const demands: StateKey<readonly Demand[]> = { name: 'VolumeZone' };

/** Volumes labelled with a zone or region bind their pods to it. Several zones are joined by `__`. */
export const volumeZone: Plugin = {
  name: 'VolumeZone',
  interests: [
    {
      on: [
        'StorageClass/Add',
        'Node/Add',
        'Node/UpdateLabel',
        'PersistentVolumeClaim/Add',
        'PersistentVolumeClaim/Update',
        'PersistentVolume/Add',
        'PersistentVolume/Update',
      ],
      hint: (pod) => (pod.spec?.volumes ?? []).some((it) => it.persistentVolumeClaim),
    },
  ],
  preFilter({ pod, snapshot: { world }, state }) {
    const found: Demand[] = [];
    for (const { persistentVolumeClaim } of pod.pod.spec?.volumes ?? []) {
      if (!persistentVolumeClaim) continue;
      const name = persistentVolumeClaim.claimName;
      if (name === '') return { rejection: unresolvable('PersistentVolumeClaim had no name') };
      const claim = world.claim(pod.namespace, name);
      if (!claim) return { rejection: unresolvable(`persistentvolumeclaim "${name}" not found`) };
      const volumeName = claim.spec?.volumeName;
      if (!volumeName) {
        const className = classOf(claim);
        if (className === '') {
          return { rejection: unresolvable('PersistentVolumeClaim had no pv name and storageClass name') };
        }
        const storageClass = world.storageClass(className);
        if (!storageClass) {
          return { rejection: unresolvable(`storageclass.storage.k8s.io "${className}" not found`) };
        }
        if (!storageClass.volumeBindingMode) {
          return { rejection: unresolvable(`VolumeBindingMode not set for StorageClass "${className}"`) };
        }
        if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') continue;
        return { rejection: unresolvable('PersistentVolume had no name') };
      }
      const volume = world.volume(volumeName);
      if (!volume) return { rejection: unresolvable(`persistentvolume "${volumeName}" not found`) };
      for (const key of labels) {
        const value = volume.metadata?.labels?.[key];
        if (value !== undefined) found.push({ key, values: new Set(value.split('__').map((it) => it.trim())) });
      }
    }
    if (found.length === 0) return 'skip';
    state.write(demands, found);
    return undefined;
  },
  filter({ state }, node) {
    if (!labels.some((key) => node.labels[key] !== undefined)) return undefined;
    for (const { key, values } of state.read(demands) ?? []) {
      const value = node.labels[key] ?? node.labels[stable[key] ?? ''];
      if (value === undefined || !values.has(value)) return unresolvable('node(s) had no available volume zone');
    }
    return undefined;
  },
};
