import type { V1Container, V1Pod, V1PodSpec, V1ResourceRequirements } from '../../api/generated/types.ts';
import { type Quantity, quantityOfNano, tryParseQuantity } from '../../api/quantity.ts';
import type { Loose } from '../draft.ts';

type AnyPod = V1Pod | Loose<V1Pod>;
type AnyContainer = Loose<V1Container>;

/** Amounts by resource name: `cpu`, `memory`, `nvidia.com/gpu`. */
export type ResourceAmounts = Readonly<Record<string, Quantity>>;

/** While summing: the amount and the family of the first quantity that was not zero. */
type Sum = Map<string, { nano: bigint; format: Quantity['format'] }>;
type List = Readonly<Record<string, string | undefined>> | undefined;

function add(sum: Sum, list: List): void {
  for (const name in list) {
    const quantity = tryParseQuantity(list[name]);
    if (!quantity) continue;
    const known = sum.get(name);
    if (known)
      sum.set(name, { nano: known.nano + quantity.nano, format: known.nano === 0n ? quantity.format : known.format });
    else sum.set(name, { nano: quantity.nano, format: quantity.format });
  }
}

function addSum(sum: Sum, more: Sum): void {
  for (const [name, { nano, format }] of more) {
    sum.set(name, { nano: (sum.get(name)?.nano ?? 0n) + nano, format: sum.get(name)?.format ?? format });
  }
}

function raise(sum: Sum, other: Sum): void {
  for (const [name, amount] of other) if ((sum.get(name)?.nano ?? -1n) < amount.nano) sum.set(name, amount);
}

const amountsOf = (sum: Sum): ResourceAmounts => {
  const amounts: Record<string, Quantity> = {};
  for (const [name, { nano, format }] of sum) amounts[name] = quantityOfNano(nano, format);
  return amounts;
};

/** True for init containers that keep running beside the others (sidecars). */
export const isSidecar = (container: AnyContainer | V1Container): boolean => container.restartPolicy === 'Always';

/** Resources that a pod may state for all its containers together. */
export const isPodLevelResource = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

function aggregate(pod: Loose<V1Pod>, listOf: (container: AnyContainer, isInit: boolean) => List): Sum {
  const total: Sum = new Map();
  for (const container of pod.spec?.containers ?? []) add(total, listOf(container, false));
  const sidecars: Sum = new Map();
  const highest: Sum = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const own: Sum = new Map();
    add(own, listOf(container, true));
    if (isSidecar(container)) {
      addSum(total, own);
      addSum(sidecars, own);
      raise(highest, sidecars);
    } else {
      addSum(own, sidecars);
      raise(highest, own);
    }
  }
  raise(total, highest);
  return total;
}

export interface PodResourceOptions {
  /** Leave `spec.overhead` out. */
  readonly excludeOverhead?: boolean;
  /** Count what the status says is allocated or in effect too, where that is more (in-place resize). */
  readonly useStatus?: boolean;
}

function requestsInStatus(pod: Loose<V1Pod>, container: AnyContainer, isInit: boolean): List {
  const spec = container.resources?.requests;
  const statuses = isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
  const status = statuses?.find((it) => it.name === container.name);
  if (!status) return spec;
  const infeasible = pod.status?.conditions?.some((it) => it.type === 'PodResizePending' && it.reason === 'Infeasible');
  const merged: Record<string, string | undefined> = { ...(infeasible ? undefined : spec) };
  for (const list of [status.resources?.requests, status.allocatedResources]) {
    for (const name in list) {
      const known = tryParseQuantity(merged[name])?.nano ?? -1n;
      if ((tryParseQuantity(list[name])?.nano ?? -1n) > known) merged[name] = list[name];
    }
  }
  return merged;
}

/**
 * What a pod asks of a node: the sum of its containers and sidecars, or the largest init step, whichever is more; pod-level
 * requests in their place where given; plus overhead. Source: component-helpers/resource/helpers.go PodRequests.
 */
export function podRequests(pod: AnyPod, options: PodResourceOptions = {}): ResourceAmounts {
  return collect(pod as Loose<V1Pod>, 'requests', options);
}

/** The same for limits. Overhead counts only for resources that have a limit. */
export function podLimits(pod: AnyPod, options: PodResourceOptions = {}): ResourceAmounts {
  return collect(pod as Loose<V1Pod>, 'limits', options);
}

/** Requests of all containers together, without the pod's own requests and overhead. */
export function containersTotal(pod: AnyPod, which: 'requests' | 'limits'): ResourceAmounts {
  return amountsOf(aggregate(pod as Loose<V1Pod>, (container) => container.resources?.[which]));
}

function collect(pod: Loose<V1Pod>, which: 'requests' | 'limits', options: PodResourceOptions): ResourceAmounts {
  const sum = aggregate(pod, (container, isInit) =>
    options.useStatus && which === 'requests' ? requestsInStatus(pod, container, isInit) : container.resources?.[which],
  );
  const own = pod.spec?.resources?.[which];
  for (const name in own) {
    const quantity = tryParseQuantity(own[name]);
    if (quantity && isPodLevelResource(name)) sum.set(name, { nano: quantity.nano, format: quantity.format });
  }
  const { overhead } = pod.spec ?? {};
  if (overhead && !options.excludeOverhead) {
    if (which === 'requests') add(sum, overhead);
    else for (const name in overhead) if (sum.has(name)) add(sum, { [name]: overhead[name] });
  }
  return amountsOf(sum);
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** The quality of service class that follows from the pod's spec. Source: pkg/apis/core/v1/helper/qos. */
export function podQosClass(pod: AnyPod): QosClass {
  const spec = (pod as Loose<V1Pod>).spec as Loose<V1PodSpec> | undefined;
  const requests = new Map<string, bigint>();
  const limits = new Map<string, bigint>();
  let guaranteed = true;
  const take = (resources: Loose<V1ResourceRequirements> | undefined): void => {
    count(requests, resources?.requests);
    if (count(limits, resources?.limits) < 2) guaranteed = false;
  };
  if (spec?.resources && (spec.resources.requests || spec.resources.limits)) take(spec.resources);
  else
    for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) take(container.resources);
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const same = requests.size === limits.size && [...requests].every(([name, amount]) => limits.get(name) === amount);
  return guaranteed && same ? 'Guaranteed' : 'Burstable';
}

/** Adds the positive cpu and memory amounts; returns how many there were. */
function count(sum: Map<string, bigint>, list: List): number {
  let found = 0;
  for (const name of ['cpu', 'memory']) {
    const quantity = tryParseQuantity(list?.[name]);
    if (!quantity || quantity.nano <= 0n) continue;
    sum.set(name, (sum.get(name) ?? 0n) + quantity.nano);
    found++;
  }
  return found;
}
