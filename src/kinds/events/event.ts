import { eventsEventsV1 } from '../../api/generated/resources.ts';
import type { CoreV1Event } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import { eventColumns, eventFields, validateEvent, validateEventUpdate } from '../core/event.ts';
import { defineKind } from '../define.ts';
import { asLoose, type Loose } from '../draft.ts';
import type { Column, Draft } from '../kind.ts';

/** Fields that the two event APIs name differently: events.k8s.io, then core. */
const renamed: readonly (readonly [string, string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

function rename(object: Draft, apiVersion: string, names: readonly (readonly [string, string])[]): Draft {
  const known = new Map(names);
  const out: Draft = {};
  for (const key in object) out[known.get(key) ?? key] = object[key];
  out['apiVersion'] = apiVersion;
  return out;
}

const reversed = renamed.map(([newer, core]) => [core, newer] as const);
/** An event as the core API keeps it, from its events.k8s.io form. A shallow copy. */
export const toCoreEvent = (object: Draft): Draft => rename(object, 'v1', renamed);
/** The events.k8s.io form of a core event. A shallow copy. */
export const fromCoreEvent = (object: Draft): Draft => rename(object, 'events.k8s.io/v1', reversed);

/** Cells and fields are defined over the core form; objects may come in either. */
const coreForm = (object: KubeObject): Loose<CoreV1Event> =>
  asLoose<CoreV1Event>(object.apiVersion === 'v1' ? object : (toCoreEvent(object as Draft) as KubeObject));

const columns: readonly Column[] = eventColumns.map((it) => ({
  ...it,
  cell: (object, now) => it.cell(coreForm(object) as unknown as KubeObject, now),
}));

const fieldOf = (name: string) => (object: unknown) => eventFields[name]?.(coreForm(object as KubeObject)) ?? '';
const newerNames: Readonly<Record<string, string>> = {
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  'regarding.apiVersion': 'involvedObject.apiVersion',
  'regarding.resourceVersion': 'involvedObject.resourceVersion',
  'regarding.fieldPath': 'involvedObject.fieldPath',
  reason: 'reason',
  reportingController: 'reportingComponent',
  source: 'source',
  type: 'type',
};

export const eventsEventKind = defineKind(eventsEventsV1, {
  storage: { group: '', version: 'v1', toStorage: toCoreEvent, fromStorage: fromCoreEvent },
  defaults(event) {
    event.regarding ??= {};
    event.deprecatedSource ??= {};
  },
  validate: (event) => validateEvent(coreForm(event as unknown as KubeObject), true),
  validateUpdate: (next, old) =>
    validateEventUpdate(coreForm(next as unknown as KubeObject), coreForm(old as unknown as KubeObject), true),
  createOnUpdate: true,
  columns,
  selectableFields: Object.fromEntries(Object.entries(newerNames).map(([newer, core]) => [newer, fieldOf(core)])),
});
