/** Who set which field: kept up to date on every write, and the ground that server-side apply stands on. */
import type { Draft } from '../draft.ts';
import { isRecord } from '../draft.ts';
import type { V1ManagedFieldsEntry } from '../generated/types.ts';
import type { StructuralSchema } from '../schema.ts';
import { fieldSchema, resolveRef } from '../schemas.ts';
import {
  emptySet,
  type FieldSet,
  intersectSets,
  isEmptySet,
  nodeOf,
  subtractSets,
  subtractTrees,
  unionSets,
} from './field-set.ts';
import {
  capUpdaters,
  type Manager,
  type Managers,
  managerKey,
  readManagers,
  writeManager,
  writeManagers,
} from './managers.ts';
import { compareValues, type Difference } from './typed.ts';

/** Identity and housekeeping belong to nobody (managedfields/internal/stripmeta.go). */
const untrackedMeta: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);
const untracked: ReadonlySet<string> = new Set(['apiVersion', 'kind']);
const untrackedTop: ReadonlySet<string> = new Set([...untracked, 'metadata']);

/** The fields of either value, those of the first in front. */
function fieldNames(left: unknown, right: unknown): Iterable<string> {
  if (!isRecord(left)) return isRecord(right) ? Object.keys(right) : [];
  return isRecord(right) ? new Set([...Object.keys(left), ...Object.keys(right)]) : Object.keys(left);
}

/** The set without what nobody owns. */
export function ownable(fields: FieldSet): FieldSet {
  const children = new Map(fields.children);
  for (const name of untracked) children.delete(`f:${name}`);
  const metadata = children.get('f:metadata');
  if (metadata) {
    const inner = new Map(metadata.children);
    for (const name of untrackedMeta) inner.delete(`f:${name}`);
    if (inner.size === 0) children.delete('f:metadata');
    else children.set('f:metadata', nodeOf(false, inner));
  }
  return nodeOf(false, children);
}

const pick = (source: unknown, field: string): unknown => (isRecord(source) ? source[field] : undefined);

/** The difference of two objects, housekeeping apart. */
export function compareObjects(before: unknown, after: unknown, schema: StructuralSchema): Difference {
  const set = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  const compareFields = (
    left: unknown,
    right: unknown,
    shape: StructuralSchema,
    skip: ReadonlySet<string>,
    into: { readonly set: Map<string, FieldSet>; readonly removed: Map<string, FieldSet> },
  ): void => {
    for (const field of fieldNames(left, right)) {
      if (skip.has(field)) continue;
      const difference = compareValues(pick(left, field), pick(right, field), fieldSchema(shape, field));
      if (!isEmptySet(difference.set)) into.set.set(`f:${field}`, difference.set);
      if (!isEmptySet(difference.removed)) into.removed.set(`f:${field}`, difference.removed);
    }
  };
  compareFields(before, after, schema, untrackedTop, { set, removed });
  const metaBefore = pick(before, 'metadata');
  const metaAfter = pick(after, 'metadata');
  const metaSchema = fieldSchema(schema, 'metadata');
  if (metaBefore !== metaAfter) {
    const meta = { set: new Map<string, FieldSet>(), removed: new Map<string, FieldSet>() };
    compareFields(metaBefore, metaAfter, metaSchema ?? {}, untrackedMeta, meta);
    if (meta.set.size > 0) set.set('f:metadata', nodeOf(false, meta.set));
    if (meta.removed.size > 0) removed.set('f:metadata', nodeOf(false, meta.removed));
  }
  return { set: nodeOf(false, set), removed: nodeOf(false, removed) };
}

/** Where two managers hold what a third one has now changed. */
export type Conflicts = ReadonlyMap<Manager, FieldSet>;

/** What others lose by a change: fields they held that have another value now, and fields that are gone. */
export function releaseFields(
  managers: Managers,
  difference: Difference,
  except: string | undefined,
): { readonly managers: Map<string, Manager>; readonly conflicts: Conflicts } {
  const out = new Map<string, Manager>();
  const conflicts = new Map<Manager, FieldSet>();
  for (const [key, manager] of managers) {
    if (key === except) {
      out.set(key, manager);
      continue;
    }
    const taken = isEmptySet(difference.set) ? emptySet : intersectSets(manager.fields, difference.set);
    if (!isEmptySet(taken)) conflicts.set(manager, taken);
    const fields = subtractSets(subtractSets(manager.fields, taken), difference.removed);
    if (!isEmptySet(fields)) out.set(key, fields === manager.fields ? manager : { ...manager, fields });
  }
  return { managers: out, conflicts };
}

export interface TrackUpdate {
  readonly schema: StructuralSchema;
  /** The stored object; absent on create. */
  readonly live?: object | undefined;
  readonly next: Draft;
  /** The entries to start from: `startingEntries(live, sent)`. */
  readonly managers: readonly V1ManagedFieldsEntry[];
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  /** RFC 3339, seconds. */
  readonly now: string;
  /** Dotted paths whose whole subtrees this endpoint resets, so that nobody comes to own them here: `status` for the main resource. */
  readonly resetFields?: FieldSet | undefined;
}

/** The only entry of an object that nobody has owned before: what most creations come to. */
function firstEntry(update: TrackUpdate, set: FieldSet): readonly V1ManagedFieldsEntry[] {
  const fields = update.resetFields ? subtractTrees(set, update.resetFields) : set;
  if (isEmptySet(fields)) return [];
  const { manager: name, apiVersion, subresource = '', now: time } = update;
  return [writeManager({ name, operation: 'Update', apiVersion, subresource, time, fields })];
}

/**
 * The managedFields after an update (or create) by `manager`. Gives back the very `managers` passed in when nothing that is tracked has changed.
 */
export function trackUpdate(update: TrackUpdate): readonly V1ManagedFieldsEntry[] {
  const { schema, live, next, managers: entries, resetFields } = update;
  const difference = compareObjects(live, next, resolveRef(schema));
  if (isEmptySet(difference.set) && isEmptySet(difference.removed)) return entries;
  if (entries.length === 0) return firstEntry(update, difference.set);
  const { managers } = releaseFields(readManagers(entries), difference, undefined);
  const gained = resetFields ? subtractTrees(difference.set, resetFields) : difference.set;
  if (!isEmptySet(gained)) {
    const self = {
      name: update.manager,
      operation: 'Update' as const,
      apiVersion: update.apiVersion,
      subresource: update.subresource ?? '',
    };
    const key = managerKey(self);
    const held = managers.get(key);
    managers.set(key, { ...self, time: update.now, fields: held ? unionSets(held.fields, gained) : gained });
  }
  return writeManagers(capUpdaters(managers));
}
