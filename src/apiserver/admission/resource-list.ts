import type { V1Container, V1Pod, V1ResourceRequirements } from '../../api/generated/types.ts';
import { addQuantity, compareQuantity, parseQuantity, type Quantity } from '../../api/quantity.ts';
import type { Loose } from '../../kinds/draft.ts';

/** Amounts by resource name. */
export type ResourceAmounts = Map<string, Quantity>;

export function amountsOf(list: Readonly<Record<string, string | undefined>> | undefined): ResourceAmounts {
  const amounts: ResourceAmounts = new Map();
  for (const [name, text] of Object.entries(list ?? {})) {
    if (text !== undefined) amounts.set(name, parseQuantity(text));
  }
  return amounts;
}

export function addAmounts(into: ResourceAmounts, more: ResourceAmounts): void {
  for (const [name, amount] of more) {
    const known = into.get(name);
    into.set(name, known ? addQuantity(known, amount) : amount);
  }
}

function maxAmounts(into: ResourceAmounts, other: ResourceAmounts): void {
  for (const [name, amount] of other) {
    const known = into.get(name);
    if (!known || compareQuantity(amount, known) > 0) into.set(name, amount);
  }
}

type Requirements = Loose<V1ResourceRequirements> | undefined;

/** True for what a pod may ask for as a whole (component-helpers/resource: cpu, memory, hugepages). */
const podLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/**
 * What a pod needs in all: its containers together, or its init containers where one of them needs more, sidecars counted in both, pod-level
 * amounts instead where given (component-helpers/resource/helpers.go). Overhead is not in it.
 */
export function podAmounts(pod: Loose<V1Pod>, kind: 'requests' | 'limits'): ResourceAmounts {
  const pick = (requirements: Requirements): ResourceAmounts => amountsOf(requirements?.[kind]);
  const total: ResourceAmounts = new Map();
  for (const container of pod.spec?.containers ?? []) addAmounts(total, pick(container.resources));
  const sidecars: ResourceAmounts = new Map();
  const init: ResourceAmounts = new Map();
  for (const container of (pod.spec?.initContainers ?? []) as Loose<V1Container>[]) {
    const own = pick(container.resources);
    if (container.restartPolicy === 'Always') {
      addAmounts(total, own);
      addAmounts(sidecars, own);
      maxAmounts(init, sidecars);
    } else {
      addAmounts(own, sidecars);
      maxAmounts(init, own);
    }
  }
  maxAmounts(total, init);
  for (const [name, amount] of pick(pod.spec?.resources)) if (podLevel(name)) total.set(name, amount);
  return total;
}
