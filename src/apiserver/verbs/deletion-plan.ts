import { copyJson } from '../../api/draft.ts';
import { invalid, notSupported } from '../../api/field-error.ts';
import type { RequestOptions } from '../../api/handler.ts';
import type { Live } from '../../api/resource.ts';
import { conflict, invalidObject, type StatusError } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import { metaOf } from './metadata.ts';

/** What a DELETE does to an object. */
export type DeletionPlan =
  | { readonly type: 'erase' }
  /** Writes this state and leaves the rest to the kubelet, the garbage collector or whoever holds a finalizer. */
  | { readonly type: 'mark'; readonly next: Draft }
  /** Nothing: it is being deleted already, and sooner than asked for. */
  | { readonly type: 'pending' };

/**
 * Decides a deletion, as rest.BeforeDelete and the generic store together do. `now` in epoch milliseconds. Throws Conflict for a
 * failed precondition and Invalid for bad options.
 */
export function planDeletion(kind: KindDefinition, old: Live, options: RequestOptions, now: number): DeletionPlan {
  checkOptions(options);
  checkPreconditions(kind, old, options);
  const isNamespace = kind.resource.group === '' && kind.resource.plural === 'namespaces';
  if (isNamespace) return planNamespace(old, now);
  const grace = planGrace(kind, old, options, now);
  if (grace.type === 'pending') return grace;
  const finalizers = finalizersFor(kind, old, options);
  const waits = finalizers.length > 0;
  if (grace.type === 'none' && !waits) return { type: 'erase' };
  if (grace.type === 'graceful' && grace.seconds === 0 && !waits) return { type: 'erase' };
  const next = copyJson(old) as unknown as Draft;
  const meta = metaOf(next);
  const first = !old.metadata.deletionTimestamp;
  if (waits || old.metadata.finalizers) meta['finalizers'] = finalizers;
  if (grace.type === 'graceful') {
    meta['deletionTimestamp'] = rfc3339(grace.at);
    meta['deletionGracePeriodSeconds'] = grace.seconds;
  } else {
    if (first || Date.parse(old.metadata.deletionTimestamp ?? '') > now) meta['deletionTimestamp'] = rfc3339(now);
    meta['deletionGracePeriodSeconds'] = 0;
  }
  const { generation = 0 } = old.metadata;
  if (first && generation > 0) meta['generation'] = generation + 1;
  return { type: 'mark', next };
}

type Grace =
  | { readonly type: 'none' }
  | { readonly type: 'pending' }
  /** `at`: the deletionTimestamp, epoch milliseconds. */
  | { readonly type: 'graceful'; readonly seconds: number; readonly at: number };

function planGrace(kind: KindDefinition, old: Live, options: RequestOptions, now: number): Grace {
  if (!kind.gracePeriod) return { type: 'none' };
  const asked = options.gracePeriodSeconds;
  // Negative values count as one second.
  const requested = asked !== undefined && asked < 0 ? 1 : asked;
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  if (deletionTimestamp) {
    if (!deletionGracePeriodSeconds) return { type: 'none' };
    if (requested === undefined || requested >= deletionGracePeriodSeconds) return { type: 'pending' };
    const at = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 + requested * 1000;
    if (at >= now) return { type: 'graceful', seconds: requested, at };
    return { type: 'graceful', seconds: requested === 0 ? 0 : 1, at: now };
  }
  const seconds = kind.gracePeriod(old, requested);
  return seconds === undefined ? { type: 'none' } : { type: 'graceful', seconds, at: now + seconds * 1000 };
}

const orphan = 'orphan';
const foreground = 'foregroundDeletion';

/** The finalizers after the deletion policy has been written into them. */
function finalizersFor(kind: KindDefinition, old: Live, options: RequestOptions): readonly string[] {
  const present = old.metadata.finalizers ?? [];
  const { orphanDependents, propagationPolicy } = options;
  let policy: 'Orphan' | 'Background' | 'Foreground';
  if (orphanDependents !== undefined) policy = orphanDependents ? 'Orphan' : 'Background';
  else if (propagationPolicy !== undefined) policy = propagationPolicy;
  else {
    const set = present.find((it) => it === orphan || it === foreground);
    if (set) policy = set === orphan ? 'Orphan' : 'Foreground';
    else policy = kind.defaultDeletion ?? 'Background';
  }
  const others = present.filter((it) => it !== orphan && it !== foreground);
  if (policy === 'Orphan') return [...others, orphan];
  return policy === 'Foreground' ? [...others, foreground] : others;
}

function planNamespace(old: Live, now: number): DeletionPlan {
  const spec = (old as { spec?: { finalizers?: readonly string[] } }).spec;
  if (!old.metadata.deletionTimestamp) {
    const next = copyJson(old) as unknown as Draft;
    metaOf(next)['deletionTimestamp'] = rfc3339(now);
    next['status'] = { ...(next['status'] as Draft | undefined), phase: 'Terminating' };
    return { type: 'mark', next };
  }
  if ((spec?.finalizers?.length ?? 0) > 0) {
    throw conflict(
      { group: '', resource: 'namespaces' },
      old.metadata.name,
      'The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.',
    );
  }
  return (old.metadata.finalizers?.length ?? 0) > 0 ? { type: 'pending' } : { type: 'erase' };
}

const policies = ['Foreground', 'Background', 'Orphan'];

function checkOptions(options: RequestOptions): void {
  const { orphanDependents, propagationPolicy } = options;
  const errors = [];
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.push(
      invalid('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'),
    );
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, [...policies, 'nil']));
  }
  if (errors.length > 0) throw invalidObject('meta.k8s.io', 'DeleteOptions', '', errors);
}

function checkPreconditions(kind: KindDefinition, old: Live, options: RequestOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const refuse = (detail: string): StatusError =>
    conflict({ group: kind.resource.group, resource: kind.resource.kind }, old.metadata.name, detail);
  if (uid !== undefined && uid !== old.metadata.uid) {
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${old.metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${old.metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
