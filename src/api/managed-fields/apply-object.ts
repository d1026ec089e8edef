/** Server-side apply (sigs.k8s.io/structured-merge-diff/merge, apimachinery/pkg/util/managedfields/internal). */
import { copyJson, type Draft, isRecord } from '../draft.ts';
import type { V1ManagedFieldsEntry } from '../generated/types.ts';
import type { StructuralSchema } from '../schema.ts';
import { resolveRef } from '../schemas.ts';
import { badRequest, type StatusError, statusError } from '../status.ts';
import {
  emptySet,
  equalSets,
  type FieldSet,
  isEmptySet,
  showPaths,
  subtractSets,
  subtractTrees,
  unionSets,
} from './field-set.ts';
import { capUpdaters, type Manager, managerKey, readManagers, writeManagers } from './managers.ts';
import { type Conflicts, compareObjects, ownable, releaseFields } from './track.ts';
import { fieldsOf, overlay, removeUnowned } from './typed.ts';

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** `"kubectl" with subresource "status" using apps/v1`. */
function showManager(manager: Manager): string {
  const name = JSON.stringify(manager.name);
  const shown = manager.subresource === '' ? name : `${name} with subresource ${JSON.stringify(manager.subresource)}`;
  return manager.operation === 'Update' ? `${shown} using ${manager.apiVersion}` : shown;
}

/** 409 with a cause for each field that somebody else holds. */
export function applyConflict(conflicts: Conflicts): StatusError {
  const found = [...conflicts].sort(([a], [b]) => (managerKey(a) < managerKey(b) ? -1 : 1));
  const causes = found.flatMap(([manager, fields]) =>
    showPaths(fields).map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${showManager(manager)}`,
      field,
    })),
  );
  const first = causes[0];
  const message =
    causes.length === 1 && first
      ? `Apply failed with 1 conflict: ${first.message}: ${first.field}`
      : `Apply failed with ${causes.length} conflicts: ${found
          .flatMap(([manager, fields]) => [
            `conflicts with ${showManager(manager)}:`,
            ...showPaths(fields).map((path) => `- ${path}`),
          ])
          .join('\n')}`;
  return statusError(409, 'Conflict', message, { causes });
}

export interface ApplyRequest {
  readonly schema: StructuralSchema;
  /** The stored object in the version applied; absent when the apply creates it. */
  readonly live?: object | undefined;
  readonly applied: Draft;
  readonly manager: string;
  readonly force: boolean;
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  /** RFC 3339, seconds. */
  readonly now: string;
  readonly resetFields?: FieldSet | undefined;
}

export interface Applied {
  /** The live object with the applied one laid over it, managedFields included. New, free to be changed. */
  readonly object: Draft;
  readonly managedFields: readonly V1ManagedFieldsEntry[];
  /** False where nothing but ownership can have changed. */
  readonly changed: boolean;
}

const metaOf = (object: unknown): Draft | undefined => {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  return isRecord(metadata) ? metadata : undefined;
};
const lastApplied = (object: unknown): string | undefined => {
  const annotations = metaOf(object)?.['annotations'];
  const text = isRecord(annotations) ? annotations[lastAppliedAnnotation] : undefined;
  return typeof text === 'string' ? text : undefined;
};

/** Fields that kubectl's client-side apply had set: kubectl may take them over without force (lastapplied.go). */
function fieldsOfLastApplied(live: unknown, schema: StructuralSchema): FieldSet {
  const text = lastApplied(live);
  if (text === undefined) return emptySet;
  try {
    return ownable(fieldsOf(JSON.parse(text), schema));
  } catch (error) {
    if (error instanceof SyntaxError) return emptySet;
    throw error;
  }
}

function onlyLastApplied(conflicts: Conflicts, allowed: FieldSet): boolean {
  for (const fields of conflicts.values()) if (!isEmptySet(subtractSets(fields, allowed))) return false;
  return true;
}

/** The managers of a live object; everything in one that nobody tracked yet belongs to `before-first-apply`. */
function liveManagers(
  live: Draft | undefined,
  schema: StructuralSchema,
  apiVersion: string,
  now: string,
): Map<string, Manager> {
  if (!live) return new Map();
  const managers = readManagers(metaOf(live)?.['managedFields'] as readonly V1ManagedFieldsEntry[] | undefined);
  if (managers.size > 0) return managers;
  const before: Manager = {
    name: 'before-first-apply',
    operation: 'Update',
    apiVersion,
    subresource: '',
    time: now,
    fields: compareObjects(undefined, live, schema).set,
  };
  return new Map(isEmptySet(before.fields) ? [] : [[managerKey(before), before]]);
}

/**
 * Applies an object on behalf of `manager`: sets what it names, removes what it named before and names no more unless another manager holds
 * it, and refuses with 409 to change what others hold unless forced. Inputs are not changed.
 */
export function applyObject(request: ApplyRequest): Applied {
  const schema = resolveRef(request.schema);
  const { applied, apiVersion, now, resetFields } = request;
  const live = request.live as Draft | undefined;
  if (metaOf(applied)?.['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  const self = {
    name: request.manager,
    operation: 'Apply' as const,
    apiVersion,
    subresource: request.subresource ?? '',
  };
  const key = managerKey(self);
  const managers = liveManagers(live, schema, apiVersion, now);
  const last = managers.get(key);
  const sent = ownable(fieldsOf(applied, schema));
  const fields = resetFields ? subtractTrees(sent, resetFields) : sent;
  managers.set(key, { ...self, ...(last?.time !== undefined && { time: last.time }), fields });

  const merged = overlay(live, applied, schema) as Draft;
  if (last) {
    let kept = emptySet;
    for (const manager of managers.values()) kept = unionSets(kept, manager.fields);
    removeUnowned(merged, last.fields, kept, schema);
  }
  const difference = compareObjects(live, merged, schema);
  const released = releaseFields(managers, difference, key);
  if (released.conflicts.size > 0 && !request.force) {
    const allowed = request.manager === 'kubectl' ? fieldsOfLastApplied(live, schema) : emptySet;
    if (!onlyLastApplied(released.conflicts, allowed)) throw applyConflict(released.conflicts);
  }
  const noted = request.manager === 'kubectl' && noteLastApplied(merged, live, applied);
  const changed = noted || !isEmptySet(difference.set) || !isEmptySet(difference.removed);
  const regained = !last || !equalSets(last.fields, fields) || last.apiVersion !== apiVersion;
  if (changed || regained) released.managers.set(key, { ...self, time: now, fields });
  const managedFields = writeManagers(capUpdaters(released.managers));
  merged['metadata'] = { ...metaOf(merged), managedFields };
  return { object: merged, managedFields, changed };
}

/** Where kubectl's client-side annotation is there, kubectl's server-side apply keeps it true. True when that changed it. */
function noteLastApplied(merged: Draft, live: Draft | undefined, applied: Draft): boolean {
  const before = lastApplied(live);
  const annotations = metaOf(merged)?.['annotations'];
  if (before === undefined || !isRecord(annotations)) return false;
  const text = `${JSON.stringify(withoutLastApplied(applied))}\n`;
  annotations[lastAppliedAnnotation] = text;
  return text !== before;
}

function withoutLastApplied(applied: Draft): Draft {
  const copy = copyJson(applied);
  const annotations = metaOf(copy)?.['annotations'];
  if (isRecord(annotations)) delete annotations[lastAppliedAnnotation];
  return copy;
}
