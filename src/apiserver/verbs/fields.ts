import type { V1ManagedFieldsEntry } from '../../api/generated/types.ts';
import { type FieldSet, leafSet, nodeOf } from '../../api/managed-fields/field-set.ts';
import { startingEntries } from '../../api/managed-fields/managers.ts';
import { trackUpdate } from '../../api/managed-fields/track.ts';
import { apiVersionOf, type Live } from '../../api/resource.ts';
import { rfc3339 } from '../../base/clock.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import type { Operation } from '../core.ts';
import { metaOf } from './metadata.ts';

/** Whose fields a write becomes: the manager named, else the client's name (managerOrUserAgent). */
export function managerOf(op: Operation): string {
  const { options, userAgent } = op.request;
  return options.fieldManager || userAgent || 'unknown';
}

/** Updates managedFields of a draft (storage version) for a create or update by the requester. */
export function fieldsOfWrite(op: Operation, old: Live | undefined, draft: Draft): void {
  const { kind } = op.stored;
  const meta = metaOf(draft);
  const sent = meta['managedFields'] as readonly V1ManagedFieldsEntry[] | undefined;
  const subresource = op.request.subresource || undefined;
  const entries = trackUpdate({
    schema: kind.schema(),
    live: old,
    next: draft,
    managers: startingEntries(old?.metadata.managedFields, sent),
    manager: managerOf(op),
    apiVersion: apiVersionOf(kind.resource),
    subresource,
    now: rfc3339(op.core.clock.now()),
    resetFields: resetFields(kind, subresource, draft),
  });
  if (entries.length > 0) meta['managedFields'] = entries;
  else delete meta['managedFields'];
}

const statusOnly: FieldSet = nodeOf(false, new Map([['f:status', leafSet]]));
const hasStatus = (kind: KindDefinition): boolean => kind.subresources?.['status'] !== undefined;

/** What an endpoint puts back to what it was, so that nobody comes to own it there (strategies' GetResetFields). */
export function resetFields(kind: KindDefinition, subresource: string | undefined, draft: Draft): FieldSet | undefined {
  if (!hasStatus(kind)) return undefined;
  if (subresource === undefined) return statusOnly;
  if (subresource !== 'status') return undefined;
  const children = new Map<string, FieldSet>();
  for (const field in draft) {
    if (field !== 'status' && field !== 'metadata' && field !== 'kind' && field !== 'apiVersion') {
      children.set(`f:${field}`, leafSet);
    }
  }
  return nodeOf(false, children);
}
