import type { V1Node, V1Pod } from '../../../api/generated/types.ts';
import {
  addQuantity,
  formatQuantity,
  milliValueOf,
  type Quantity,
  quantityMilliValue,
  quantityValue,
  wholeValueOf,
} from '../../../api/quantity.ts';
import type { Live } from '../../../api/resource.ts';
import { podLimits, podRequests, type ResourceAmounts } from '../../../kinds/core/pod-resources.ts';
import { isHugePages, isStandardContainerResource } from '../../../kinds/core/resource-names.ts';
import { type Page, since } from './page.ts';

const textOf = (amount: Quantity | undefined): string => (amount ? formatQuantity(amount) : '0');

/** `100m (5%)`: an amount, and how much of what the node has it is. */
function share(name: string, amount: Quantity | undefined, allocatable: Readonly<Record<string, string>>): string {
  const [used, whole] =
    name === 'cpu'
      ? [amount ? quantityMilliValue(amount) : 0, milliValueOf(allocatable[name])]
      : [amount ? quantityValue(amount) : 0, wholeValueOf(allocatable[name])];
  return `${textOf(amount)} (${whole === 0 ? 0 : Math.trunc((used / whole) * 100)}%)`;
}

function total(all: readonly ResourceAmounts[]): ResourceAmounts {
  const sum: Record<string, Quantity> = {};
  for (const amounts of all) {
    for (const [name, amount] of Object.entries(amounts)) {
      const before = sum[name];
      sum[name] = before ? addQuantity(before, amount) : amount;
    }
  }
  return sum;
}

/** What the pods of a node ask for, one by one and together. */
export function nodeResources(page: Page, { status }: V1Node, pods: readonly Live<V1Pod>[], now: number): void {
  const capacity = status?.capacity ?? {};
  const allocatable = Object.keys(status?.allocatable ?? {}).length > 0 ? (status?.allocatable ?? {}) : capacity;
  const asked = pods.map((pod) => ({ pod, requests: podRequests(pod), limits: podLimits(pod) }));
  page.line(0, 'Non-terminated Pods:', `(${pods.length} in total)`);
  page.line(1, 'Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age');
  page.line(1, '---------', '----', '', '------------', '----------', '---------------', '-------------', '---');
  for (const { pod, requests, limits } of asked) {
    const { namespace, name, creationTimestamp } = pod.metadata;
    const cells = ['cpu', 'memory'].flatMap((resource) =>
      [requests, limits].map((amounts) => share(resource, amounts[resource], allocatable)),
    );
    page.line(1, namespace, name, '', ...cells, since(creationTimestamp, now));
  }
  const requests = total(asked.map((one) => one.requests));
  const limits = total(asked.map((one) => one.limits));
  page.line(0, 'Allocated resources:');
  page.line(1, '(Total limits may be over 100 percent, i.e., overcommitted.)');
  page.line(1, 'Resource', 'Requests', 'Limits');
  page.line(1, '--------', '--------', '------');
  const names = Object.keys(allocatable).sort();
  const extended = names.filter((name) => !isStandardContainerResource(name) && name !== 'pods');
  for (const name of ['cpu', 'memory', 'ephemeral-storage', ...names.filter(isHugePages)])
    page.line(1, name, share(name, requests[name], allocatable), share(name, limits[name], allocatable));
  for (const name of extended) page.line(1, name, textOf(requests[name]), textOf(limits[name]));
}
