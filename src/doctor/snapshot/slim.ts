import type { V1ConfigMap, V1ObjectMeta } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
/** Longer values of a ConfigMap are cut: enough for any configuration that a person wrote (UTF-16 units). */
const longestValue = 16_384;

/**
 * Drops what no rule reads and what would make a picture of a large cluster heavy: who owns which field (the managers and their times stay),
 * the copy that `kubectl apply` leaves, long values of ConfigMaps, files in `binaryData`.
 */
export function slim<T extends KubeObject>(object: T): T {
  const metadata = object.metadata && slimMeta(object.metadata);
  const slimmer = { ...object, ...(metadata && { metadata }) };
  if (object.kind !== 'ConfigMap') return slimmer;
  const map: V1ConfigMap = object;
  return {
    ...slimmer,
    ...(map.data && {
      data: Object.fromEntries(Object.entries(map.data).map(([key, value]) => [key, value.slice(0, longestValue)])),
    }),
    ...(map.binaryData && {
      binaryData: Object.fromEntries(Object.keys(map.binaryData).map((key) => [key, ''])),
    }),
  };
}

function slimMeta(meta: V1ObjectMeta): V1ObjectMeta {
  const { managedFields, annotations, ...rest } = meta;
  const kept = annotations && Object.entries(annotations).filter(([key]) => key !== lastApplied);
  return {
    ...rest,
    ...(kept && kept.length > 0 && { annotations: Object.fromEntries(kept) }),
    ...(managedFields && {
      managedFields: managedFields.map(({ fieldsV1: _dropped, ...it }) => it),
    }),
  };
}
