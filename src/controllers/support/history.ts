import { controllerrevisions } from '../../api/generated/resources.ts';
import type { V1ControllerRevision, V1LabelSelector, V1PodTemplateSpec } from '../../api/generated/types.ts';
import type { Live, Resource } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { canonical, fnv32a, safeEncode } from './hash.ts';
import { claim, controllerReference } from './owners.ts';

export type Revision = Live<V1ControllerRevision>;

const historyHashLabel = 'controller.kubernetes.io/hash';

/** What is kept of a revision: the template, as a patch that replaces it. */
export const dataOf = (template: V1PodTemplateSpec | undefined): object => ({
  spec: { template: { ...template, $patch: 'replace' } },
});

/** The template that a revision keeps. */
export function templateOf(revision: V1ControllerRevision): V1PodTemplateSpec {
  const data = revision.data as { readonly spec?: { readonly template?: V1PodTemplateSpec & { $patch?: string } } };
  const { $patch: _, ...template } = data?.spec?.template ?? {};
  return template;
}

export const isRevisionOf = (revision: V1ControllerRevision, template: V1PodTemplateSpec | undefined): boolean =>
  semanticEqual(templateOf(revision), template ?? {});

/** The owner's revisions, oldest first; matching orphans are adopted. */
export async function listRevisions(
  context: ControllerContext,
  resource: Resource,
  owner: Live,
  selector: V1LabelSelector | undefined,
): Promise<readonly Revision[]> {
  const claimed = await claim({
    client: context.client,
    owner,
    ownerResource: resource,
    resource: controllerrevisions,
    informer: context.informers.informer(controllerrevisions),
    selector,
  });
  return [...claimed].sort(byRevision);
}

export function byRevision(a: Revision, b: Revision): number {
  if (a.revision !== b.revision) return a.revision - b.revision;
  const left = a.metadata.creationTimestamp + a.metadata.name;
  const right = b.metadata.creationTimestamp + b.metadata.name;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Makes a revision of a template. A name taken by another template raises the collision count, which is returned. */
export async function createRevision(
  context: ControllerContext,
  it: {
    readonly resource: Resource;
    readonly owner: Live;
    readonly template: V1PodTemplateSpec | undefined;
    readonly revision: number;
    readonly collisionCount: number;
    /** The label that pods carry too, where the owner's kind puts it on revisions. */
    readonly label?: string;
  },
): Promise<{ readonly revision: Revision; readonly collisionCount: number }> {
  const { owner, template } = it;
  const namespace = owner.metadata.namespace ?? '';
  const data = dataOf(template);
  for (let collisionCount = it.collisionCount; ; collisionCount++) {
    const hash = safeEncode(String(fnv32a(canonical(data) + String(collisionCount))));
    const name = `${owner.metadata.name}-${hash}`;
    try {
      const revision = await context.client.create(controllerrevisions, {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name,
          namespace,
          labels: { ...template?.metadata?.labels, [it.label ?? historyHashLabel]: hash },
          ...(owner.metadata.annotations && { annotations: owner.metadata.annotations }),
          ownerReferences: [controllerReference(it.resource, owner)],
        },
        data: data as NonNullable<V1ControllerRevision['data']>,
        revision: it.revision,
      });
      return { revision, collisionCount };
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      const there = await context.client.get(controllerrevisions, name, { namespace });
      if (isRevisionOf(there, template)) return { revision: there, collisionCount };
    }
  }
}

/** Gives a revision a new number. */
export const renumber = (context: ControllerContext, revision: Revision, number: number): Promise<Revision> =>
  context.client.update(controllerrevisions, { ...revision, revision: number });

/** Deletes the oldest revisions that are not alive, so that at most `limit` such remain. */
export async function truncateRevisions(
  context: ControllerContext,
  revisions: readonly Revision[],
  isAlive: (revision: Revision) => boolean,
  limit: number,
): Promise<void> {
  const history = revisions.filter((revision) => !isAlive(revision));
  for (const { metadata } of history.slice(0, Math.max(0, history.length - limit))) {
    try {
      await context.client.delete(controllerrevisions, metadata.name, { namespace: metadata.namespace ?? '' });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
}
