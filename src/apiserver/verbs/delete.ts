import type { RequestOptions, ResourceResult } from '../../api/handler.ts';
import { apiVersionOf, type KubeObject, type Live, type ObjectList } from '../../api/resource.ts';
import { conflict, hasReason, modifiedDetail, notFound } from '../../api/status.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import { type Operation, toVersion } from '../core.ts';
import { encodeObject } from '../storage/codec.ts';
import { share } from '../storage/wire.ts';
import { admissionRequest, admit, rollback, validateAdmission } from './admit.ts';
import { planDeletion } from './deletion-plan.ts';
import { presentObject } from './get.ts';
import { list } from './list.ts';
import { metaOf } from './metadata.ts';
import { recordWrite } from './spans.ts';

/** Resources whose DELETE answers with the object instead of a Status (ReturnDeletedObject upstream). */
const returned = new Set([
  'namespaces',
  'persistentvolumes',
  'persistentvolumeclaims',
  'pods',
  'podtemplates',
  'resourcequotas',
  'services',
  'serviceaccounts',
  'deviceclasses',
  'resourceclaims',
  'resourceclaimtemplates',
  'resourceslices',
  'csidrivers',
  'csinodes',
  'storageclasses',
  'volumeattachments',
  'volumeattributesclasses',
]);

interface Deleted {
  readonly object: Live;
  /** True when it is gone, false when it now waits for grace or finalizers. */
  readonly gone: boolean;
}

/** delete: at once, or by marking the object for those who must finish with it first. */
export async function deleteOne(op: Operation): Promise<ResourceResult> {
  const { options } = op.request;
  const { object, gone } = await deleteObject(op, options);
  const { resource } = op.kind;
  if (gone && !(returned.has(resource.plural) && resource.definition !== undefined)) {
    return { type: 'answer', code: 200, object: success(op.kind, object) };
  }
  const shown = toVersion(op.kind, op.stored, object);
  if (!gone && options.orphanDependents === false) return { type: 'answer', code: 202, object: shown };
  return { type: 'object', object: shown, created: false };
}

const success = (kind: KindDefinition, object: Live): KubeObject => {
  const { group, plural } = kind.resource;
  const { name, uid } = object.metadata;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group !== '' && { group }), kind: plural, uid },
  } as KubeObject;
};

/** deletecollection: what the selectors choose, each as if deleted alone; answers with the list of them. */
export async function deleteCollection(op: Operation): Promise<ResourceResult> {
  const found = await list(op);
  if (found.type !== 'list') return found;
  const { items } = found.list;
  for (const item of items) {
    const { metadata } = item;
    const request = { ...op.request, verb: 'delete' as const, name: metadata.name };
    const single: Operation = {
      ...op,
      request,
      namespace: op.kind.resource.namespaced ? (metadata.namespace ?? '') : '',
    };
    try {
      await deleteObject(single, op.request.options);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
  const { kind, metadata } = found.list;
  const answer: ObjectList = { ...(kind && { kind }), apiVersion: apiVersionOf(op.kind.resource), metadata, items };
  return { type: 'list', list: answer };
}

/** Deletes one object; tries again when another writer comes between. Throws NotFound, Conflict, Invalid. */
export async function deleteObject(op: Operation, options: RequestOptions): Promise<Deleted> {
  const { core, stored } = op;
  const { kind } = stored;
  const it = { group: kind.resource.group, resource: kind.resource.plural };
  const name = op.request.name ?? '';
  if (stored.loading) await stored.loading;
  let admitted = false;
  for (let attempt = 0; attempt < 16; attempt++) {
    const old = presentObject(op);
    if (!old) throw notFound(it, name);
    const plan = planDeletion(kind, old, options, core.clock.now());
    if (plan.type === 'pending') return { object: old, gone: false };
    const admission = admissionRequest(op, 'DELETE', name, undefined, old);
    if (!admitted) await admit(op, admission);
    admitted = true;
    await validateAdmission(op, admission);
    if (options.dryRun)
      return plan.type === 'mark' ? { object: marked(kind, plan.next), gone: false } : { object: old, gone: true };
    const committingAt = core.clock.monotonic();
    const outcome =
      plan.type === 'mark' ? await core.storage.update(stored, old, plan.next) : await core.storage.erase(stored, old);
    if (outcome.type === 'done') {
      recordWrite(
        op,
        plan.type === 'mark' ? 'mark for deletion' : 'delete',
        outcome.object,
        outcome.revision,
        committingAt,
      );
      return { object: outcome.object, gone: plan.type === 'erase' };
    }
    await rollback(op, admission);
  }
  throw conflict(it, name, modifiedDetail);
}

const marked = (kind: KindDefinition, next: Draft): Live => {
  const { resourceVersion } = metaOf(next);
  const { draft } = encodeObject(kind, next);
  metaOf(draft)['resourceVersion'] = resourceVersion;
  return share(draft as unknown as Live);
};
