import type { V1Container, V1ContainerStatus, V1Pod } from '../api/generated/types.ts';
import { milliValueOf, wholeValueOf } from '../api/quantity.ts';

/** Amounts as integers: cpu in thousandths, memory and storage in bytes, everything else in whole units. */
export interface Amounts {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  pods: number;
  /** Extended resources, huge pages and the like. */
  scalars: Map<string, number> | undefined;
}

export const noAmounts = (): Amounts => ({
  milliCpu: 0,
  memory: 0,
  ephemeralStorage: 0,
  pods: 0,
  scalars: undefined,
});

type List = Readonly<Record<string, string>>;

const setAmount = (to: Amounts, name: string, value: string): void => {
  switch (name) {
    case 'cpu':
      to.milliCpu = milliValueOf(value);
      return;
    case 'memory':
      to.memory = wholeValueOf(value);
      return;
    case 'ephemeral-storage':
      to.ephemeralStorage = wholeValueOf(value);
      return;
    case 'pods':
      to.pods = wholeValueOf(value);
      return;
    default:
      to.scalars ??= new Map();
      to.scalars.set(name, wholeValueOf(value));
  }
};

/** A resource list as integers. Throws `QuantityError`. */
export function amountsOf(list: List | undefined): Amounts {
  const out = noAmounts();
  for (const name in list) setAmount(out, name, list[name] ?? '0');
  return out;
}

export function addAmounts(to: Amounts, from: Amounts, sign: 1 | -1 = 1): void {
  to.milliCpu += sign * from.milliCpu;
  to.memory += sign * from.memory;
  to.ephemeralStorage += sign * from.ephemeralStorage;
  if (from.scalars) {
    to.scalars ??= new Map();
    for (const [name, value] of from.scalars) to.scalars.set(name, (to.scalars.get(name) ?? 0) + sign * value);
  }
}

function raise(to: Amounts, from: Amounts): void {
  to.milliCpu = Math.max(to.milliCpu, from.milliCpu);
  to.memory = Math.max(to.memory, from.memory);
  to.ephemeralStorage = Math.max(to.ephemeralStorage, from.ephemeralStorage);
  if (from.scalars) {
    to.scalars ??= new Map();
    for (const [name, value] of from.scalars) to.scalars.set(name, Math.max(to.scalars.get(name) ?? 0, value));
  }
}

/** Stand-ins for absent requests when nodes are compared (pkg/scheduler/util/pod_resources.go). */
export const defaultMilliCpu = 100;
export const defaultMemory = 200 * 1024 * 1024;

/** A container's requests; while a resize is under way, the largest of wanted, allocated and actual. */
function containerRequests(
  container: V1Container,
  status: V1ContainerStatus | undefined,
  infeasible: boolean,
): Amounts {
  const wanted = amountsOf(container.resources?.requests);
  if (!status) return wanted;
  const out = infeasible ? noAmounts() : wanted;
  if (infeasible && !status.allocatedResources) return wanted;
  raise(out, amountsOf(status.allocatedResources));
  raise(out, amountsOf(status.resources?.requests));
  return out;
}

/**
 * What the pod asks of its node: the larger of its running containers' sum and its greediest moment of initialization, the
 * pod-level requests where set, plus overhead (k8s.io/component-helpers/resource/helpers.go, PodRequests). `nonZero`
 * counts a container that names no cpu or memory with the defaults used for comparing nodes.
 */
export function podRequests(pod: V1Pod, nonZero = false): Amounts {
  const spec = pod.spec;
  const statuses = new Map<string, V1ContainerStatus>();
  for (const it of pod.status?.containerStatuses ?? []) statuses.set(it.name, it);
  for (const it of pod.status?.initContainerStatuses ?? []) statuses.set(it.name, it);
  const infeasible = (pod.status?.conditions ?? []).some(
    (it) => it.type === 'PodResizePending' && it.reason === 'Infeasible',
  );
  const of = (container: V1Container): Amounts => {
    const amounts = containerRequests(container, statuses.get(container.name), infeasible);
    if (nonZero) {
      if (container.resources?.requests?.['cpu'] === undefined) amounts.milliCpu = defaultMilliCpu;
      if (container.resources?.requests?.['memory'] === undefined) amounts.memory = defaultMemory;
    }
    return amounts;
  };
  const total = noAmounts();
  for (const container of spec?.containers ?? []) addAmounts(total, of(container));
  const sidecars = noAmounts();
  const peak = noAmounts();
  for (const container of spec?.initContainers ?? []) {
    const amounts = of(container);
    if (container.restartPolicy === 'Always') {
      addAmounts(total, amounts);
      addAmounts(sidecars, amounts);
      raise(peak, sidecars);
    } else {
      addAmounts(amounts, sidecars);
      raise(peak, amounts);
    }
  }
  raise(total, peak);
  for (const [name, value] of Object.entries(spec?.resources?.requests ?? {})) setAmount(total, name, value);
  addAmounts(total, amountsOf(spec?.overhead));
  return total;
}
