import { fromSpec, fromWaiting } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { ContainerFacts, PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** Claims about every container that waits for this reason. */
export function* waitingFor(
  snapshot: Snapshot,
  reason: string,
  claim: (
    pod: PodFacts,
    container: ContainerFacts,
  ) =>
    | (Pick<Claim, 'says'> & Partial<Claim> & { readonly fix: string; readonly commands: readonly string[] })
    | undefined,
): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (container.waiting?.reason !== reason) continue;
      const made = claim(pod, container);
      if (!made) continue;
      const { fix, commands, ...more } = made;
      yield {
        subject: pod.ref,
        container: container.name,
        evidence: [
          fromWaiting(pod, container),
          fromSpec(pod.ref, `image: ${container.image}`, `spec.${container.path}.image`),
        ],
        field: containerField(pod, container, 'image'),
        remedy: { says: fix, commands, verify: watchCommand(pod) },
        ...more,
      };
    }
}
