/** The entries of metadata.managedFields as managers with sets, and back. After apimachinery/pkg/util/managedfields/internal. */
import { isRecord } from '../draft.ts';
import type { V1ManagedFieldsEntry } from '../generated/types.ts';
import { type FieldSet, isEmptySet, readFields, unionSets, writeFields } from './field-set.ts';

export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; absent in entries that never had one. */
  readonly time?: string;
  readonly fields: FieldSet;
}

export type Managers = ReadonlyMap<string, Manager>;

/** Appliers are one whatever version they apply in; updaters are told apart by it. */
export function managerKey(it: Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify([it.name, it.operation, it.operation === 'Apply' ? '' : it.apiVersion, it.subresource]);
}

export function readManagers(entries: readonly V1ManagedFieldsEntry[] | undefined): Map<string, Manager> {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const manager: Manager = {
      name: entry.manager ?? '',
      operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      ...(entry.time !== undefined && { time: entry.time }),
      fields: readFields(entry.fieldsV1),
    };
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Appliers first, then by time, name, version and subresource. */
const order = (a: Manager, b: Manager): number =>
  compareText(a.operation, b.operation) ||
  compareText(a.time ?? '', b.time ?? '') ||
  compareText(a.name, b.name) ||
  compareText(a.apiVersion, b.apiVersion) ||
  compareText(a.subresource, b.subresource);

export function writeManagers(managers: Managers): readonly V1ManagedFieldsEntry[] {
  return [...managers.values()]
    .filter((manager) => !isEmptySet(manager.fields))
    .sort(order)
    .map(writeManager);
}

/** One entry of managedFields. */
export function writeManager(manager: Manager): V1ManagedFieldsEntry {
  const { name, operation, apiVersion, time, subresource } = manager;
  const fieldsV1 = writeFields(manager.fields);
  const entry = { manager: name, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1 };
  if (time === undefined) delete entry.time;
  return (subresource === '' ? entry : { ...entry, subresource }) as V1ManagedFieldsEntry;
}

const mostUpdaters = 10;
const bucketName = 'ancient-changes';

/** Merges the oldest updaters of a version into one entry while there are more than ten (capmanagers.go). */
export function capUpdaters(managers: Managers): Managers {
  if (managers.size <= mostUpdaters) return managers;
  const updaters = [...managers].filter(([, manager]) => manager.operation === 'Update');
  if (updaters.length <= mostUpdaters) return managers;
  updaters.sort(([a, left], [b, right]) => compareText(left.time ?? '', right.time ?? '') || compareText(a, b));
  const out = new Map(managers);
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const [key, manager] of updaters) {
    if (count <= mostUpdaters) break;
    const first = firstOf.get(manager.apiVersion);
    if (first === undefined) {
      firstOf.set(manager.apiVersion, key);
      continue;
    }
    const bucket: Manager = { ...manager, name: bucketName, subresource: '' };
    const bucketKey = managerKey(bucket);
    const held = out.get(bucketKey) ?? out.get(first);
    out.delete(first);
    out.delete(key);
    out.set(bucketKey, { ...bucket, fields: held ? unionSets(held.fields, manager.fields) : manager.fields });
    firstOf.set(manager.apiVersion, bucketKey);
    count--;
  }
  return out;
}

/**
 * The entries to start from: those the request sends, where it sends any; none where it asks to forget them (an empty list or one empty
 * entry); else the live ones.
 */
export function startingEntries(
  live: readonly V1ManagedFieldsEntry[] | undefined,
  sent: readonly V1ManagedFieldsEntry[] | null | undefined,
): readonly V1ManagedFieldsEntry[] {
  if (!Array.isArray(sent)) return live ?? [];
  if (sent.length === 0 || (sent.length === 1 && Object.keys(sent[0] ?? {}).length === 0)) return [];
  const readable = sent.every(
    (entry) =>
      isRecord(entry) &&
      (entry['operation'] === 'Apply' || entry['operation'] === 'Update') &&
      (entry['fieldsType'] === undefined || entry['fieldsType'] === 'FieldsV1'),
  );
  return readable ? sent : (live ?? []);
}
