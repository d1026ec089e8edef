import { pods } from '../../api/generated/resources.ts';
import type { V1OwnerReference, V1Pod, V1PodTemplateSpec } from '../../api/generated/types.ts';
import type { Live, Resource } from '../../api/resource.ts';
import { hasReason, StatusError } from '../../api/status.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { controllerReference } from './owners.ts';

/** A pod after a template, for an owner (controller.GetPodFromTemplate). */
export function podFromTemplate(
  template: V1PodTemplateSpec,
  owner: Live,
  reference: V1OwnerReference,
  name: { readonly name: string } | { readonly generateName: string } = { generateName: `${owner.metadata.name}-` },
): V1Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...name,
      namespace: owner.metadata.namespace ?? '',
      labels: labels ?? {},
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [reference],
    },
    ...(template.spec && { spec: template.spec }),
  };
}

/** True where everything in the namespace is being deleted, so that creating is in vain. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Creates a pod and says so in an event about its owner (RealPodControl). */
export async function createPod(
  context: ControllerContext,
  owner: Live,
  ownerResource: Resource,
  template: V1PodTemplateSpec,
  pod: V1Pod = podFromTemplate(template, owner, controllerReference(ownerResource, owner)),
): Promise<Live<V1Pod>> {
  try {
    const created = await context.client.create(pods, pod, { namespace: owner.metadata.namespace ?? '' });
    context.events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
    return created;
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      context.events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** Deletes a pod and says so in an event about its owner. A pod that is gone already is no error. */
export async function deletePod(context: ControllerContext, owner: Live, pod: Live<V1Pod>): Promise<void> {
  const { name, uid } = pod.metadata;
  try {
    await context.client.delete(pods, name, {
      namespace: owner.metadata.namespace ?? '',
      preconditions: { uid },
    });
    context.events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  } catch (error) {
    if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return;
    context.events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}

/**
 * Runs `work` `count` times in batches of 1, 2, 4, ...: what fails once will fail again, and then only a few tries are wasted
 * (upstream's slowStartBatch). The first error ends it; returns how many succeeded and that error.
 */
export async function slowStart(
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<{ readonly succeeded: number; readonly error?: unknown }> {
  let done = 0;
  let succeeded = 0;
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done);
    const first = done;
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => work(first + i)));
    done += batch;
    succeeded += results.filter((it) => it.status === 'fulfilled').length;
    const failed = results.find((it) => it.status === 'rejected');
    if (failed) return { succeeded, error: failed.reason };
  }
  return { succeeded };
}

/** Runs all, and throws the first error afterwards. */
export async function allOrFirstError(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((it) => it.status === 'rejected');
  if (failed) throw failed.reason;
}
