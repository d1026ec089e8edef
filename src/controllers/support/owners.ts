import type { V1LabelSelector, V1OwnerReference } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { apiVersionOf, type KubeObject, type Live, type Resource } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import type { Client } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';

/** The reference of the object's controller, where it has one. */
export const controllerOf = (object: KubeObject): V1OwnerReference | undefined =>
  object.metadata?.ownerReferences?.find((reference) => reference.controller);

/** The reference that makes `owner` the controller of what it makes. */
export const controllerReference = (resource: Resource, owner: Live): V1OwnerReference => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** `namespace/name` of the object's controller if it is of this kind and group. */
export function controllerKey(object: Live, resource: Resource): readonly string[] {
  const owner = controllerOf(object);
  if (!owner || owner.kind !== resource.kind || groupOf(owner.apiVersion) !== resource.group) return [];
  return [`${object.metadata.namespace}/${owner.name}`];
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** The objects of a namespace that have no controller. Keeps an index, so that it costs only what it returns. */
export function orphansIn<T extends KubeObject>(informer: Informer<T>, namespace: string): readonly Live<T>[] {
  informer.addIndex('orphans', (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']));
  return informer.byIndex('orphans', namespace);
}

/**
 * What the owner controls, after adopting matching orphans and releasing what no longer matches (upstream's ControllerRefManager). An
 * owner that is being deleted neither adopts nor releases. `include` narrows the candidates: what is not included is left alone.
 */
export async function claim<C extends KubeObject>(it: {
  readonly client: Client;
  readonly owner: Live;
  readonly ownerResource: Resource;
  readonly resource: Resource<C>;
  readonly informer: Informer<C>;
  readonly selector: V1LabelSelector | undefined;
  readonly include?: (candidate: Live<C>) => boolean;
}): Promise<readonly Live<C>[]> {
  const { client, owner, resource } = it;
  const namespace = owner.metadata.namespace ?? '';
  const requirements = requirementsOf(it.selector);
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  const claimed: Live<C>[] = [];
  for (const child of it.informer.byIndex('owner', owner.metadata.uid)) {
    if (it.include && !it.include(child)) continue;
    if (matchesLabels(requirements, child.metadata.labels)) claimed.push(child);
    else if (!leaving) await release(client, resource, child, owner);
  }
  if (leaving) return claimed;
  for (const child of orphansIn(it.informer, namespace)) {
    if (child.metadata.deletionTimestamp || !matchesLabels(requirements, child.metadata.labels)) continue;
    if (it.include && !it.include(child)) continue;
    const adopted = await adopt(client, it.ownerResource, owner, resource, child);
    if (adopted) claimed.push(adopted);
  }
  return claimed;
}

async function adopt<C extends KubeObject>(
  client: Client,
  ownerResource: Resource,
  owner: Live,
  resource: Resource<C>,
  child: Live<C>,
): Promise<Live<C> | undefined> {
  const namespace = owner.metadata.namespace ?? '';
  // The copy may be old: an owner that is gone or going must not adopt.
  const fresh = await client.get(ownerResource, owner.metadata.name, { namespace });
  if (fresh.metadata.uid !== owner.metadata.uid) {
    throw new Error(
      `original ${ownerResource.kind} ${namespace}/${owner.metadata.name} is gone: got uid ${fresh.metadata.uid}, wanted ${owner.metadata.uid}`,
    );
  }
  if (fresh.metadata.deletionTimestamp) return undefined;
  const patch = {
    metadata: { uid: child.metadata.uid, ownerReferences: [controllerReference(ownerResource, owner)] },
  };
  try {
    return await client.patch(resource, child.metadata.name, patch, {
      namespace,
      type: 'application/strategic-merge-patch+json',
    });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function release(client: Client, resource: Resource, child: Live, owner: Live): Promise<void> {
  const patch = {
    metadata: { uid: child.metadata.uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] },
  };
  try {
    await client.patch(resource, child.metadata.name, patch, {
      namespace: owner.metadata.namespace ?? '',
      type: 'application/strategic-merge-patch+json',
    });
  } catch (error) {
    // Gone, or no longer owned: both are what was wanted.
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Invalid')) throw error;
  }
}
