import { type FieldError, invalid, required, tooLong } from '../../api/field-error.ts';
import { events } from '../../api/generated/resources.ts';
import type { CoreV1Event } from '../../api/generated/types.ts';
import { dns1123Subdomain, qualifiedName } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { ageOf } from '../human-duration.ts';
import type { Column } from '../kind.ts';
import { immutable } from '../object-meta.ts';

type Event = Loose<CoreV1Event>;

/** Rules for events that carry the newer eventTime (staging of events.k8s.io, and both APIs alike). */
function validateNewer(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '', message = '', type = '' } = event;
  if (reportingComponent === '') errors.push(required('reportingController'));
  else errors.push(...invalids('reportingController', reportingComponent, qualifiedName(reportingComponent)));
  const length = (field: string, value: string, max: number): void => {
    if (value === '') errors.push(required(field));
    else if (value.length > max) errors.push(tooLong(field, max));
  };
  length('reportingInstance', reportingInstance, 128);
  length('action', action, 128);
  length('reason', reason, 128);
  if (message.length > 1024) errors.push(tooLong('message', 1024));
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalid('type', type, 'has invalid value: '.concat(type)));
  return errors;
}

/** Namespaces of the event and of what it is about must agree (legacyValidateEvent). */
function validateLegacy(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata?.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  if (involved === '') {
    if (namespace !== '' && namespace !== 'default' && namespace !== 'kube-system') {
      errors.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'));
    }
  } else if (namespace !== involved) {
    errors.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'));
  }
  if (namespace !== '') errors.push(...invalids('namespace', namespace, dns1123Subdomain(namespace)));
  return errors;
}

/** Checks an event of either API; `isEventsApi` for writes through events.k8s.io. */
export function validateEvent(event: Event, isEventsApi: boolean): FieldError[] {
  const errors = validateLegacy(event);
  if (!event.eventTime) return isEventsApi ? [...errors, required('eventTime')] : errors;
  return [...errors, ...validateNewer(event)];
}

const fixed = [
  ...['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type'],
  ...['eventTime', 'action', 'related', 'reportingComponent', 'reportingInstance'],
] as const;

/** Updates through events.k8s.io may only move the series on. */
export function validateEventUpdate(next: Event, old: Event, isEventsApi: boolean): FieldError[] {
  const errors = validateEvent(next, isEventsApi);
  if (!isEventsApi || !next.eventTime) return errors;
  return [...errors, ...fixed.flatMap((field) => immutable(next[field], old[field], field))];
}

const source = ({ source: from = {}, reportingComponent, reportingInstance }: Event): string => {
  const component = from.component || reportingComponent || '';
  const instance = from.host || reportingInstance || '';
  return instance === '' ? component : `${component}, ${instance}`;
};

function firstSeen(event: Event, now: number): string {
  return ageOf(event.firstTimestamp ?? event.eventTime, now);
}

function lastSeen(event: Event, now: number): string {
  if (event.series) return ageOf(event.series.lastObservedTime, now);
  return event.lastTimestamp ? ageOf(event.lastTimestamp, now) : firstSeen(event, now);
}

function target({ involvedObject = {} }: Event): string {
  const kind = (involvedObject.kind ?? '').toLowerCase();
  return involvedObject.name ? `${kind}/${involvedObject.name}` : kind;
}

const { column, wide } = columnsOf<CoreV1Event>();

/** Columns over the core form of an event. */
export const eventColumns: readonly Column[] = [
  column('Last Seen', 'The time at which the most recent occurrence of this event was recorded.', lastSeen),
  column('Type', 'Type of this event (Normal, Warning), new types could be added in the future', (it) => it.type ?? ''),
  column('Reason', "The reason for the transition into the object's current status.", (it) => it.reason ?? ''),
  column('Object', 'The object that this event is about.', target),
  wide('Subobject', 'The part of the object.', (it) => it.involvedObject?.fieldPath ?? ''),
  wide('Source', 'The component reporting this event.', source),
  column('Message', 'A human-readable description of the status of this operation.', (it) => (it.message ?? '').trim()),
  wide('First Seen', 'The time at which the event was first recorded.', firstSeen),
  wide('Count', 'The number of times this event has occurred.', (it) => (it.series ? it.series.count : it.count) || 1),
  { ...nameColumn, priority: 1 },
];

/** Field-selector values over the core form of an event. */
export const eventFields: Readonly<Record<string, (event: Event) => string>> = {
  'involvedObject.kind': (it) => it.involvedObject?.kind ?? '',
  'involvedObject.namespace': (it) => it.involvedObject?.namespace ?? '',
  'involvedObject.name': (it) => it.involvedObject?.name ?? '',
  'involvedObject.uid': (it) => it.involvedObject?.uid ?? '',
  'involvedObject.apiVersion': (it) => it.involvedObject?.apiVersion ?? '',
  'involvedObject.resourceVersion': (it) => it.involvedObject?.resourceVersion ?? '',
  'involvedObject.fieldPath': (it) => it.involvedObject?.fieldPath ?? '',
  reason: (it) => it.reason ?? '',
  reportingComponent: (it) => it.reportingComponent ?? '',
  source: (it) => it.source?.component || it.reportingComponent || '',
  type: (it) => it.type ?? '',
};

export const eventKind = defineKind(events, {
  defaults(event) {
    event.involvedObject ??= {};
    event.source ??= {};
    event.reportingComponent ??= '';
    event.reportingInstance ??= '';
  },
  validate: (event) => validateEvent(event, false),
  validateUpdate: (next, old) => validateEventUpdate(next, old, false),
  createOnUpdate: true,
  columns: eventColumns,
  selectableFields: eventFields,
});
