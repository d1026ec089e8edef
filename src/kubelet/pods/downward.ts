import type { V1Container, V1ObjectFieldSelector, V1Pod, V1ResourceFieldSelector } from '../../api/generated/types.ts';
import { qualifiedName } from '../../api/names.ts';
import { milliUnits, type ResourceList, wholeUnits } from '../quantity.ts';

/** What the downward API knows beyond the pod itself. */
export interface DownwardFacts {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** The node's allocatable resources: the limit of a container that has none. */
  readonly allocatable: ResourceList;
}

const formatMap = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${JSON.stringify(map?.[key] ?? '')}`)
    .join('\n');

/** The value of a field of the pod. Throws with upstream's text for a path it does not serve (pkg/fieldpath). */
export function fieldValue(pod: V1Pod, selector: V1ObjectFieldSelector, facts: DownwardFacts): string {
  const path = selector.fieldPath;
  const subscript = /^(.+?)\['(.*)'\]$/.exec(path);
  if (subscript) {
    const [, base, key = ''] = subscript;
    const errors = qualifiedName(base === 'metadata.annotations' ? key.toLowerCase() : key);
    if (base !== 'metadata.annotations' && base !== 'metadata.labels')
      throw new Error(`fieldPath "${path}" does not support subscript`);
    if (errors.length > 0) throw new Error(`invalid key subscript in ${path}: ${errors.join(';')}`);
    const map = base === 'metadata.annotations' ? pod.metadata?.annotations : pod.metadata?.labels;
    return map?.[key] ?? '';
  }
  switch (path) {
    case 'metadata.annotations':
      return formatMap(pod.metadata?.annotations);
    case 'metadata.labels':
      return formatMap(pod.metadata?.labels);
    case 'metadata.name':
      return pod.metadata?.name ?? '';
    case 'metadata.namespace':
      return pod.metadata?.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata?.uid ?? '';
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return facts.hostIps[0] ?? '';
    case 'status.hostIPs':
      return facts.hostIps.join(',');
    case 'status.podIP':
      return facts.podIps[0] ?? '';
    case 'status.podIPs':
      return facts.podIps.join(',');
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

const defaulted = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** The value of a container's resource, divided and rounded up. Upstream: pkg/api/v1/resource ExtractContainerResourceValue. */
export function resourceValue(
  pod: V1Pod,
  container: V1Container | undefined,
  selector: V1ResourceFieldSelector,
  facts: DownwardFacts,
): string {
  const name = selector.containerName;
  const from = name
    ? [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((it) => it.name === name)
    : container;
  if (!from) throw new Error(`container ${name ?? ''} not found`);
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(selector.resource);
  if (!match) throw new Error(`unsupported container resource : ${selector.resource}`);
  const [, side, resource = ''] = match;
  let amount = side === 'limits' ? from.resources?.limits?.[resource] : from.resources?.requests?.[resource];
  if (side === 'limits' && defaulted.has(resource) && milliUnits(amount) === 0)
    amount = pod.spec?.resources?.limits?.[resource] ?? facts.allocatable[resource];
  const divisor = selector.divisor !== undefined && milliUnits(selector.divisor) !== 0 ? selector.divisor : '1';
  const value =
    resource === 'cpu' ? milliUnits(amount) / milliUnits(divisor) : wholeUnits(amount) / wholeUnits(divisor);
  return `${Math.ceil(value)}`;
}
