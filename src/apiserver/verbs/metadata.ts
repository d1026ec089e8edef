import { equalJson, isRecord } from '../../api/draft.ts';
import { badRequest } from '../../api/status.ts';
import type { Draft } from '../../kinds/kind.ts';
import type { Operation } from '../core.ts';

/** The draft's metadata, made where it is missing. */
export function metaOf(draft: Draft): Draft {
  const meta = draft['metadata'];
  if (isRecord(meta)) return meta;
  const made: Draft = {};
  draft['metadata'] = made;
  return made;
}

/** Sets the namespace of the request; refuses another (EnsureObjectNamespaceMatchesRequestNamespace). */
export function checkNamespace(op: Operation, meta: Draft): void {
  const sent = typeof meta['namespace'] === 'string' ? meta['namespace'] : '';
  if (sent === op.namespace) {
    if (sent === '') delete meta['namespace'];
    return;
  }
  if (op.namespace === '') {
    // Cluster-scoped objects may say default or nothing; the field is cleared.
    delete meta['namespace'];
    return;
  }
  if (sent === '') {
    meta['namespace'] = op.namespace;
    return;
  }
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** Drops owner references whose object repeats and says so, before and after admission (dedupOwnerReferencesAndAddWarning). */
export function dedupOwners(op: Operation, meta: Draft, afterAdmission: boolean): void {
  const owners = meta['ownerReferences'];
  if (!Array.isArray(owners) || owners.length < 2) return;
  const kept: Draft[] = [];
  const repeated: string[] = [];
  for (const owner of owners as Draft[]) {
    if (kept.some((it) => equalJson(it, owner))) repeated.push(String(owner['uid'] ?? ''));
    else kept.push(owner);
  }
  if (repeated.length === 0) return;
  meta['ownerReferences'] = kept;
  const when = afterAdmission ? ' after mutating admission happens' : '';
  op.strategy.warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  );
}
