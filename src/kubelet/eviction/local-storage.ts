import type { V1Pod } from '../../api/generated/types.ts';
import { formatQuantity, parseQuantity, quantityOf } from '../../api/quantity.ts';
import { isSidecar } from '../pods/observed.ts';
import { wholeUnits } from '../quantity.ts';
import { diskOf, type PodUsage } from './pod-usage.ts';

const storage = 'ephemeral-storage';

/** The pod's limit of local storage, bytes; undefined where none of its containers has one. */
function podLimit(pod: V1Pod): number | undefined {
  const limit = (it: { readonly resources?: { readonly limits?: Readonly<Record<string, string>> } }): number =>
    wholeUnits(it.resources?.limits?.[storage]);
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  if (!all.some((it) => it.resources?.limits?.[storage] !== undefined)) return undefined;
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar).reduce((sum, it) => sum + limit(it), 0);
  const regular = (pod.spec?.containers ?? []).reduce((sum, it) => sum + limit(it), 0);
  const init = (pod.spec?.initContainers ?? []).filter((it) => !isSidecar(it)).map(limit);
  return Math.max(regular + sidecars, ...init.map((it) => it + sidecars));
}

/** True where a limit makes it worth measuring the pod's disk. */
export function limitsLocalStorage(pod: V1Pod): boolean {
  return (
    podLimit(pod) !== undefined ||
    (pod.spec?.volumes ?? []).some((it) => it.emptyDir?.sizeLimit !== undefined && it.emptyDir.medium !== 'Memory')
  );
}

/** Why the pod has to go for what it keeps on the node's disk; undefined = it may stay. Upstream: localStorageEviction. */
export function localStorageExcess(pod: V1Pod, usage: PodUsage): string | undefined {
  for (const volume of pod.spec?.volumes ?? []) {
    const limit = volume.emptyDir?.sizeLimit;
    const used = usage.volumes.get(volume.name);
    if (limit === undefined || used === undefined || wholeUnits(limit) <= 0) continue;
    if (used > wholeUnits(limit))
      return `Usage of EmptyDir volume ${JSON.stringify(volume.name)} exceeds the limit ${JSON.stringify(formatQuantity(parseQuantity(limit)))}. `;
  }
  const total = podLimit(pod);
  if (total === undefined) return undefined;
  if (diskOf(usage) > total)
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(quantityOf(total, 'BinarySI'))}. `;
  for (const container of pod.spec?.containers ?? []) {
    const limit = container.resources?.limits?.[storage];
    const used = usage.containers.find((it) => it.name === container.name);
    if (limit === undefined || !used) continue;
    if (used.rootfs + used.logs > wholeUnits(limit))
      return `Container ${container.name} exceeded its local ephemeral storage limit ${JSON.stringify(formatQuantity(parseQuantity(limit)))}. `;
  }
  return undefined;
}
