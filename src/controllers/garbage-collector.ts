import type { V1OwnerReference } from '../api/generated/types.ts';
import { type KubeObject, type Live, parseApiVersion, type Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import type { Informer } from '../client/informer.ts';
import type { Controller, ControllerContext } from '../controller/controller.ts';
import { rule } from './support/access.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';
const ownersIndex = 'gc/owners';
/** How often newly served resources are looked for, milliseconds. */
const lookForKinds = 5000;
/** Resources whose objects neither own nor are owned, or that change too often to be worth a copy (upstream's ignored resources). */
const ignored = new Set(['events', 'leases']);

/** Which of an object's owners are there, gone, or being deleted in the foreground while this object holds them up. */
export interface Owners {
  readonly solid: readonly V1OwnerReference[];
  readonly dangling: readonly V1OwnerReference[];
  readonly waiting: readonly V1OwnerReference[];
}

export type Verdict =
  | { readonly type: 'keep' }
  | { readonly type: 'drop'; readonly owners: readonly V1OwnerReference[] }
  | { readonly type: 'delete'; readonly policy: 'Background' | 'Foreground' | 'Orphan' };

/** What becomes of an object with these owners (attemptToDeleteItem in pkg/controller/garbagecollector). Pure. */
export function verdictOn(object: Live, owners: Owners, hasDependents: boolean): Verdict {
  const { solid, dangling, waiting } = owners;
  if (solid.length > 0) {
    const gone = [...dangling, ...waiting];
    return gone.length > 0 ? { type: 'drop', owners: gone } : { type: 'keep' };
  }
  if (dangling.length + waiting.length === 0) return { type: 'keep' };
  if (waiting.length > 0 && hasDependents) return { type: 'delete', policy: 'Foreground' };
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(orphan)) return { type: 'delete', policy: 'Orphan' };
  return { type: 'delete', policy: finalizers.includes(foreground) ? 'Foreground' : 'Background' };
}

/** Something served whose objects can be followed. */
interface Followed {
  readonly resource: Resource;
  readonly informer: Informer<KubeObject>;
}

const isCollectable = (resource: Resource): boolean =>
  !ignored.has(resource.plural) && ['list', 'watch', 'delete'].every((verb) => resource.verbs.includes(verb));

/** Keys are `resource id|namespace/name`, so that one queue serves all kinds. */
const idOf = (resource: Resource): string => `${resource.group}/${resource.version}/${resource.plural}`;
const keyFor = (resource: Resource, object: KubeObject): string =>
  `${idOf(resource)}|${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;

/**
 * Deletes what has lost its owners, and carries out foreground deletion and orphaning. Follows every served resource, custom ones as they
 * come (`served` is asked again now and then).
 */
export function garbageCollector(served: () => readonly Resource[]): Controller {
  const followed = new Map<string, Followed>();

  const dependentsOf = (uid: string): readonly { readonly resource: Resource; readonly object: Live }[] =>
    [...followed.values()].flatMap(({ resource, informer }) =>
      informer.byIndex(ownersIndex, uid).map((object) => ({ resource, object })),
    );

  const follow = (context: ControllerContext): void => {
    const groups = new Set<string>();
    for (const resource of served()) {
      const id = idOf(resource);
      // A resource served in several versions is the same objects.
      const plain = `${resource.group}/${resource.plural}`;
      if (!isCollectable(resource) || followed.has(id) || groups.has(plain)) continue;
      groups.add(plain);
      if (
        [...followed.values()].some(
          (it) => it.resource.group === resource.group && it.resource.plural === resource.plural,
        )
      )
        continue;
      const informer = context.informers.informer(resource);
      informer.addIndex(ownersIndex, (object) => (object.metadata.ownerReferences ?? []).map((owner) => owner.uid));
      followed.set(id, { resource, informer });
      const enqueue = (object: Live): void => {
        if (object.metadata.ownerReferences?.length || object.metadata.deletionTimestamp)
          context.enqueue(keyFor(resource, object));
      };
      informer.subscribe({
        add: enqueue,
        update: enqueue,
        remove(object) {
          for (const dependent of dependentsOf(object.metadata.uid))
            context.enqueue(keyFor(dependent.resource, dependent.object));
          for (const owner of object.metadata.ownerReferences ?? [])
            enqueueOwner(context, owner, object.metadata.namespace);
        },
      });
    }
    context.enqueue('kinds', lookForKinds);
  };

  const resourceOf = (owner: V1OwnerReference): Followed | undefined => {
    const { group } = parseApiVersion(owner.apiVersion);
    for (const it of followed.values()) if (it.resource.group === group && it.resource.kind === owner.kind) return it;
    return undefined;
  };

  const enqueueOwner = (context: ControllerContext, owner: V1OwnerReference, namespace: string | undefined): void => {
    const kind = resourceOf(owner);
    if (!kind) return;
    const scope = kind.resource.namespaced && namespace ? { namespace } : {};
    context.enqueue(keyFor(kind.resource, { metadata: { name: owner.name, ...scope } }));
  };

  /** Sorts an object's owners; one that the local copy lacks is asked for, since the copy may be behind. */
  const classify = async (context: ControllerContext, object: Live): Promise<Owners> => {
    const solid: V1OwnerReference[] = [];
    const dangling: V1OwnerReference[] = [];
    const waiting: V1OwnerReference[] = [];
    for (const owner of object.metadata.ownerReferences ?? []) {
      const kind = resourceOf(owner);
      if (!kind) {
        // Nothing is known of such a kind: it may be served later, so the object stays.
        solid.push(owner);
        continue;
      }
      const { namespace } = object.metadata;
      const key = kind.resource.namespaced ? `${namespace}/${owner.name}` : owner.name;
      let found: Live | undefined = kind.informer.get(key);
      if (found?.metadata.uid !== owner.uid) found = await ask(context, kind.resource, owner.name, namespace);
      if (found?.metadata.uid !== owner.uid) dangling.push(owner);
      else if (found.metadata.deletionTimestamp && found.metadata.finalizers?.includes(foreground)) waiting.push(owner);
      else solid.push(owner);
    }
    return { solid, dangling, waiting };
  };

  const finishDeletion = async (context: ControllerContext, kind: Followed, object: Live): Promise<void> => {
    const finalizers = object.metadata.finalizers ?? [];
    const dependents = dependentsOf(object.metadata.uid);
    if (finalizers.includes(orphan)) {
      for (const dependent of dependents)
        await dropOwners(context, dependent.resource, dependent.object, [object.metadata.uid]);
      await removeFinalizer(context, kind.resource, object, orphan);
    } else if (finalizers.includes(foreground)) {
      const blocking = dependents.filter((it) =>
        it.object.metadata.ownerReferences?.some(
          (owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion,
        ),
      );
      if (blocking.length === 0) await removeFinalizer(context, kind.resource, object, foreground);
      for (const dependent of dependents) context.enqueue(keyFor(dependent.resource, dependent.object));
    }
  };

  return {
    name: 'generic-garbage-collector',
    workers: 20,
    // Everything else is followed as it is found to be served; the engine wants one declared watch to begin with.
    watches: [],
    access: [rule('*', '*', 'get list watch patch update delete')],
    async start(context) {
      follow(context);
    },
    async reconcile(key, context) {
      if (key === 'kinds') {
        follow(context);
        return undefined;
      }
      const [id = '', path = ''] = key.split('|');
      const kind = followed.get(id);
      const object = kind?.informer.get(path.startsWith('/') ? path.slice(1) : path);
      if (!kind || !object) return undefined;
      if (object.metadata.deletionTimestamp) await finishDeletion(context, kind, object);
      const owners = await classify(context, object);
      if (object.metadata.deletionTimestamp && owners.waiting.length === 0) return undefined;
      const verdict = verdictOn(object, owners, dependentsOf(object.metadata.uid).length > 0);
      if (verdict.type === 'drop')
        await dropOwners(
          context,
          kind.resource,
          object,
          verdict.owners.map((owner) => owner.uid),
        );
      else if (verdict.type === 'delete' && !object.metadata.deletionTimestamp)
        await remove(context, kind.resource, object, verdict.policy);
      return undefined;
    },
  };
}

const scopeOf = (resource: Resource, object: Live) =>
  resource.namespaced && object.metadata.namespace ? { namespace: object.metadata.namespace } : {};

/** An answer that the object is gone already is as good as success. */
async function unlessGone(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}

async function ask(
  context: ControllerContext,
  resource: Resource,
  name: string,
  namespace: string | undefined,
): Promise<Live | undefined> {
  try {
    return await context.client.get(resource, name, resource.namespaced && namespace ? { namespace } : {});
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

const remove = (
  context: ControllerContext,
  resource: Resource,
  object: Live,
  policy: 'Background' | 'Foreground' | 'Orphan',
): Promise<void> =>
  unlessGone(() =>
    context.client.delete(resource, object.metadata.name, {
      ...scopeOf(resource, object),
      propagationPolicy: policy,
      preconditions: { uid: object.metadata.uid },
    }),
  );

async function dropOwners(
  context: ControllerContext,
  resource: Resource,
  object: Live,
  uids: readonly string[],
): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid));
  const patch = {
    metadata: { uid, resourceVersion, ownerReferences: ownerReferences.length > 0 ? ownerReferences : null },
  };
  await unlessGone(() =>
    context.client.patch(resource, object.metadata.name, patch, {
      ...scopeOf(resource, object),
      type: 'application/merge-patch+json',
    }),
  );
}

async function removeFinalizer(
  context: ControllerContext,
  resource: Resource,
  object: Live,
  name: string,
): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((it) => it !== name);
  const { uid, resourceVersion } = object.metadata;
  const patch = { metadata: { uid, resourceVersion, finalizers } };
  await unlessGone(() =>
    context.client.patch(resource, object.metadata.name, patch, {
      ...scopeOf(resource, object),
      type: 'application/merge-patch+json',
    }),
  );
}
