import { copyJson, equalJson } from '../../api/draft.ts';
import { invalid } from '../../api/field-error.ts';
import type { ResourceResult } from '../../api/handler.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import { conflict, invalidObject, modifiedDetail, notFound } from '../../api/status.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import type { AdmissionRequest } from '../contracts.ts';
import { type Operation, toStorage, toVersion } from '../core.ts';
import { encodeObject } from '../storage/codec.ts';
import { objectKey } from '../storage/keys.ts';
import { share } from '../storage/wire.ts';
import { admissionRequest, admit, rollback, validateAdmission } from './admit.ts';
import { decodeBody } from './body.ts';
import { createObject, nameMismatch, uidConflict } from './create.ts';
import { fieldsOfWrite } from './fields.ts';
import { presentObject } from './get.ts';
import { checkNamespace, dedupOwners, metaOf } from './metadata.ts';
import { recordWrite } from './spans.ts';
import { ttlOf } from './ttl.ts';

/** How an update comes about. */
export interface UpdatePlan {
  /** The new object in storage version, made from the present one (undefined: there is none); undefined = leave it. Called again after a conflict. */
  produce(old: Live | undefined): Draft | undefined | Promise<Draft | undefined>;
  /** Create where there is nothing. */
  readonly allowCreate: boolean;
  /** The uid that the object must have. */
  readonly uid?: string;
  /** True where `produce` has done managedFields itself (apply). */
  readonly tracked?: boolean;
  /** How often a conflict with a writer who was faster is tried again. */
  readonly attempts: number;
}

/** update: replaces an object or, with a subresource, its part. */
export async function update(op: Operation): Promise<ResourceResult> {
  const body = decodeBody(op, op.request.body);
  const meta = metaOf(body);
  const name = op.request.name ?? '';
  if (meta['name'] === undefined || meta['name'] === '') meta['name'] = name;
  else if (meta['name'] !== name) throw nameMismatch(String(meta['name']), name);
  checkNamespace(op, meta);
  const draft = toStorage(op.kind, op.stored, body);
  const { uid } = meta;
  let used = false;
  const { object, created } = await guaranteedUpdate(op, {
    produce() {
      const next = used ? copyJson(draft) : draft;
      used = true;
      return next;
    },
    allowCreate: op.request.subresource === undefined && op.stored.kind.createOnUpdate === true,
    ...(typeof uid === 'string' && uid !== '' && { uid }),
    attempts: 16,
  });
  return { type: 'object', object: toVersion(op.kind, op.stored, object), created };
}

/** Reads, changes and writes with compare-and-swap, upstream's way through strategy, admission and validation. */
export async function guaranteedUpdate(
  op: Operation,
  plan: UpdatePlan,
): Promise<{ readonly object: Live; readonly created: boolean }> {
  const { stored } = op;
  const { kind } = stored;
  const it = { group: kind.resource.group, resource: kind.resource.plural };
  const name = op.request.name ?? '';
  if (stored.loading) await stored.loading;
  for (let attempt = 1; ; attempt++) {
    const old = presentObject(op);
    if (plan.uid !== undefined && plan.uid !== (old?.metadata.uid ?? '') && (old || plan.allowCreate)) {
      throw uidConflict(it, name, objectKey(stored.prefix, op.namespace, name), plan.uid, old?.metadata.uid ?? '');
    }
    if (!old) {
      if (!plan.allowCreate) throw notFound(it, name);
      const draft = await plan.produce(undefined);
      if (!draft) throw notFound(it, name);
      delete metaOf(draft)['resourceVersion'];
      return { object: await createObject(op, draft, plan.tracked), created: true };
    }
    const next = await plan.produce(old);
    if (!next) return { object: old, created: false };
    const outcome = await writeUpdate(op, plan, old, next);
    if (outcome) return { object: outcome, created: false };
    if (attempt >= plan.attempts) throw conflict(it, name, modifiedDetail);
  }
}

/** One try; undefined when another writer was faster. */
async function writeUpdate(op: Operation, plan: UpdatePlan, old: Live, next: Draft): Promise<Live | undefined> {
  const { core, stored, strategy, request } = op;
  const { kind } = stored;
  const it = { group: kind.resource.group, resource: kind.resource.plural };
  const meta = metaOf(next);
  const name = old.metadata.name;
  checkVersion(kind, meta, old, it);
  dedupOwners(op, meta, false);
  if (!plan.tracked) fieldsOfWrite(op, old, next);
  const admission = admissionRequest(op, 'UPDATE', name, next, old);
  const admitting = admit(op, admission);
  if (admitting) await admitting;
  dedupOwners(op, meta, true);
  checkNamespace(op, meta);
  prepare(op, next, old);
  validate(op, next, old, admission);
  for (const warning of kind.warnings?.(next as KubeObject, old) ?? []) strategy.warn(warning);
  keepUnchangedTimestamps(next, old);
  const validating = validateAdmission(op, admission);
  if (validating) await validating;

  if (isDeletedBy(kind, next, old)) return eraseAfterUpdate(op, admission, old, next);
  if (sameObject(next, old)) return old;
  if (request.options.dryRun) return dryRun(op, next, old);
  const committingAt = core.clock.monotonic();
  try {
    const outcome = await core.storage.update(stored, old, next, ttlOf(kind));
    if (outcome.type === 'conflict') {
      await rollback(op, admission);
      return undefined;
    }
    recordWrite(op, request.verb, outcome.object, outcome.revision, committingAt);
    return outcome.object;
  } catch (error) {
    await rollback(op, admission);
    throw error;
  }
}

/** Kinds whose updates must name the resourceVersion they change (AllowUnconditionalUpdate = false upstream). */
const conditional = new Set([
  'leases.coordination.k8s.io',
  'runtimeclasses.node.k8s.io',
  'poddisruptionbudgets.policy',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'csistoragecapacities.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
]);

function checkVersion(kind: KindDefinition, meta: Draft, old: Live, it: { group: string; resource: string }): void {
  const sent = meta['resourceVersion'];
  if (sent === undefined || sent === '' || sent === '0') {
    if (kind.resource.definition === undefined || conditional.has(`${it.resource}.${it.group}`)) {
      throw invalidObject(it.group, it.resource, old.metadata.name, [
        invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    meta['resourceVersion'] = old.metadata.resourceVersion;
    return;
  }
  if (sent !== old.metadata.resourceVersion) throw conflict(it, old.metadata.name, modifiedDetail);
}

/** What every update keeps of the old object, around the kind's own strategy (rest.BeforeUpdate). */
function prepare(op: Operation, next: Draft, old: Live): void {
  const { stored, strategy, request } = op;
  const meta = metaOf(next);
  const before = old.metadata as unknown as Draft;
  if (before['generation'] === undefined) delete meta['generation'];
  else meta['generation'] = before['generation'];
  if (request.subresource !== undefined)
    stored.kind.subresources?.[request.subresource]?.prepareForUpdate?.(next, old, strategy);
  else stored.kind.prepareForUpdate?.(next, old, strategy);
  if (!meta['uid']) meta['uid'] = before['uid'];
  meta['creationTimestamp'] = before['creationTimestamp'];
  if (before['deletionTimestamp'] !== undefined) meta['deletionTimestamp'] = before['deletionTimestamp'];
  if (before['deletionGracePeriodSeconds'] !== undefined && meta['deletionGracePeriodSeconds'] === undefined) {
    meta['deletionGracePeriodSeconds'] = before['deletionGracePeriodSeconds'];
  }
  delete meta['selfLink'];
}

function validate(op: Operation, next: Draft, old: Live, admission: AdmissionRequest): void {
  const { stored, request } = op;
  const { kind } = stored;
  const object = next as KubeObject;
  const check =
    request.subresource === undefined ? kind.validateUpdate : kind.subresources?.[request.subresource]?.validateUpdate;
  const errors = check?.(object, old) ?? [];
  if (errors.length > 0) throw invalidObject(kind.resource.group, kind.resource.kind, admission.name, errors);
}

/** A write that changes nothing but the times in managedFields changes nothing (IgnoreManagedFieldsTimestampsTransformer). */
function keepUnchangedTimestamps(next: Draft, old: Live): void {
  const meta = metaOf(next);
  const entries = meta['managedFields'];
  const before = old.metadata.managedFields;
  if (!Array.isArray(entries) || !before || entries.length !== before.length) return;
  const same = entries.every((entry, i) => equalJson({ ...entry, time: '' }, { ...before[i], time: '' }));
  if (!same || equalJson(entries, before)) return;
  const { managedFields: _next, ...nextMeta } = meta;
  const { managedFields: _old, ...oldMeta } = old.metadata as unknown as Draft;
  if (equalJson({ ...next, metadata: nextMeta }, { ...old, metadata: oldMeta })) meta['managedFields'] = before;
}

const sameObject = (next: Draft, old: Live): boolean => equalJson(next, old);

/** True when this update takes away the last thing that kept a dying object (ShouldDeleteDuringUpdate). */
function isDeletedBy(kind: KindDefinition, next: Draft, old: Live): boolean {
  const { finalizers } = metaOf(next);
  if (Array.isArray(finalizers) && finalizers.length > 0) return false;
  if (!old.metadata.deletionTimestamp || (old.metadata.deletionGracePeriodSeconds ?? 0) !== 0) return false;
  if (kind.resource.plural !== 'namespaces' || kind.resource.group !== '') return true;
  const left = (next['spec'] as { finalizers?: readonly string[] } | undefined)?.finalizers ?? [];
  return left.length === 0;
}

async function eraseAfterUpdate(
  op: Operation,
  admission: AdmissionRequest,
  old: Live,
  next: Draft,
): Promise<Live | undefined> {
  const { core, stored } = op;
  const last = dryRun(op, next, old);
  if (op.request.options.dryRun) return last;
  const committingAt = core.clock.monotonic();
  const outcome = await core.storage.erase(stored, old);
  if (outcome.type === 'conflict') {
    await rollback(op, admission);
    return presentObject(op) ? undefined : last;
  }
  recordWrite(op, 'delete after the last finalizer of', last, outcome.revision, committingAt);
  return last;
}

/** What the write would have made, at the revision of what is there. */
function dryRun(op: Operation, next: Draft, old: Live): Live {
  const { draft } = encodeObject(op.stored.kind, next);
  metaOf(draft)['resourceVersion'] = old.metadata.resourceVersion;
  return share(draft as unknown as Live);
}
