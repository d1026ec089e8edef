import { persistentvolumeclaims, pods, volumeattachments } from '../../api/generated/resources.ts';
import type { V1Container, V1EphemeralContainer, V1Pod, V1Volume } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import type { ObjectReader } from '../contracts.ts';

/** Which objects the pods of each node refer to (plugin/pkg/auth/authorizer/node/graph.go). */
export interface NodeGraph {
  /** True where a pod bound to the node refers to the object. `kind` is the plural. */
  related(nodeName: string, kind: string, namespace: string, name: string): boolean;
}

const mirror = 'kubernetes.io/config.mirror';
const ref = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;

const containersOf = (pod: Live<V1Pod>): readonly (V1Container | V1EphemeralContainer)[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
  ...(pod.spec?.ephemeralContainers ?? []),
];

function secretsOfVolume(volume: V1Volume): readonly (string | undefined)[] {
  return [
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.secret?.secretName,
    volume.scaleIO?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
    ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
  ];
}

/** The names of Secrets and ConfigMaps that a pod refers to (pkg/api/pod/util.go, VisitPodSecretNames). */
function referencesOf(pod: Live<V1Pod>): readonly string[] {
  const { name, namespace = '' } = pod.metadata;
  const found = new Set<string>([ref('pods', namespace, name)]);
  if (pod.metadata.annotations?.[mirror] !== undefined) return [...found];
  const put = (kind: string, target: string | undefined): void => {
    if (target) found.add(ref(kind, namespace, target));
  };
  put('serviceaccounts', pod.spec?.serviceAccountName);
  for (const pull of pod.spec?.imagePullSecrets ?? []) put('secrets', pull.name);
  for (const container of containersOf(pod)) {
    for (const source of container.envFrom ?? []) {
      put('secrets', source.secretRef?.name);
      put('configmaps', source.configMapRef?.name);
    }
    for (const variable of container.env ?? []) {
      put('secrets', variable.valueFrom?.secretKeyRef?.name);
      put('configmaps', variable.valueFrom?.configMapKeyRef?.name);
    }
  }
  for (const volume of pod.spec?.volumes ?? []) {
    for (const secret of secretsOfVolume(volume)) put('secrets', secret);
    put('configmaps', volume.configMap?.name);
    for (const source of volume.projected?.sources ?? []) put('configmaps', source.configMap?.name);
    put('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral) put('persistentvolumeclaims', `${name}-${volume.name}`);
  }
  const claimStatuses = pod.status?.resourceClaimStatuses ?? [];
  for (const claim of pod.spec?.resourceClaims ?? []) {
    put(
      'resourceclaims',
      claim.resourceClaimName ?? claimStatuses.find((status) => status.name === claim.name)?.resourceClaimName,
    );
  }
  return [...found];
}

/** Follows the pods of `reader`, counting for each node what they refer to. */
export function createNodeGraph(reader: ObjectReader): NodeGraph {
  const byNode = new Map<string, Map<string, number>>();
  const held = new Map<string, { readonly node: string; readonly references: readonly string[] }>();
  let loaded = false;

  const drop = (key: string): void => {
    const entry = held.get(key);
    if (!entry) return;
    held.delete(key);
    const counts = byNode.get(entry.node);
    for (const reference of entry.references) {
      const count = (counts?.get(reference) ?? 1) - 1;
      if (count > 0) counts?.set(reference, count);
      else counts?.delete(reference);
    }
    if (counts?.size === 0) byNode.delete(entry.node);
  };
  const put = (pod: Live<V1Pod>): void => {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    drop(key);
    const node = pod.spec?.nodeName;
    if (!node) return;
    const references = referencesOf(pod);
    const counts = byNode.get(node) ?? new Map<string, number>();
    byNode.set(node, counts);
    for (const reference of references) counts.set(reference, (counts.get(reference) ?? 0) + 1);
    held.set(key, { node, references });
  };
  reader.subscribe(pods, ({ type, object, old }) => {
    if (!loaded) return;
    if (type === 'DELETED') drop(`${object.metadata.namespace}/${object.metadata.name}`);
    // A pod's references are fixed once it is bound, but for ephemeral containers and the status of its claims.
    else if (
      !old ||
      old.spec !== object.spec ||
      old.status?.resourceClaimStatuses !== object.status?.resourceClaimStatuses
    )
      put(object);
  });

  const direct = (nodeName: string, kind: string, namespace: string, name: string): boolean =>
    byNode.get(nodeName)?.has(ref(kind, namespace, name)) === true;
  /** A volume is related through the claims bound to it that the node's pods use. */
  const volumeRelated = (nodeName: string, name: string): boolean => {
    for (const reference of byNode.get(nodeName)?.keys() ?? []) {
      if (!reference.startsWith('persistentvolumeclaims ')) continue;
      const path = reference.slice('persistentvolumeclaims '.length);
      const slash = path.indexOf('/');
      const claim = reader.get(persistentvolumeclaims, path.slice(0, slash), path.slice(slash + 1));
      if (claim?.spec?.volumeName === name) return true;
    }
    return false;
  };
  return {
    related(nodeName, kind, namespace, name) {
      if (!loaded) {
        loaded = true;
        for (const pod of reader.list(pods)) put(pod);
      }
      if (kind === 'persistentvolumes') return volumeRelated(nodeName, name);
      if (kind === 'volumeattachments') {
        return reader.get(volumeattachments, undefined, name)?.spec?.nodeName === nodeName;
      }
      return direct(nodeName, kind, namespace, name);
    },
  };
}
