import { pods } from '../../../api/generated/resources.ts';
import { formatSelector, type LabelSelectorObject, requirementsOf } from '../../../api/label-selector.ts';
import type { Live } from '../../../api/resource.ts';
import type { Surroundings } from './describer.ts';

/** `1 Running / 0 Waiting / 0 Succeeded / 0 Failed`: the pods that the object controls. */
export async function podsStatus(
  { metadata }: Live,
  selector: LabelSelectorObject | undefined,
  { client }: Surroundings,
): Promise<string> {
  const { items } = await client.list(pods, {
    ...(metadata.namespace && { namespace: metadata.namespace }),
    labelSelector: formatSelector(requirementsOf(selector) ?? []),
  });
  const own = items.filter((pod) =>
    pod.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === metadata.uid),
  );
  const count = (phase: string): number => own.filter((pod) => pod.status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}
