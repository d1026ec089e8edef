import { events } from '../../../api/generated/resources.ts';
import type { CoreV1Event } from '../../../api/generated/types.ts';
import type { KubeObject, Live } from '../../../api/resource.ts';
import type { Surroundings } from './describer.ts';
import { type Page, since } from './page.ts';

interface Involved {
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
}

/** The events about an object. A server that does not tell counts as none told: the page is worth having without. */
export async function eventsAbout(
  involved: Involved,
  { client, showEvents }: Surroundings,
): Promise<readonly Live<CoreV1Event>[] | undefined> {
  if (!showEvents) return undefined;
  const fields = [
    ['name', involved.name],
    ['namespace', involved.namespace ?? ''],
    ...(involved.kind ? [['kind', involved.kind]] : []),
    ...(involved.uid ? [['uid', involved.uid]] : []),
  ];
  const { items } = await client.list(events, {
    ...(involved.namespace && { namespace: involved.namespace }),
    fieldSelector: fields.map(([key, value]) => `involvedObject.${key}=${value}`).join(','),
  });
  return items;
}

/** How long ago an event was, and how often: `5s (x3 over 2m)`. */
export function intervalOf(event: CoreV1Event, now: number): string {
  const first = since(event.eventTime ?? event.firstTimestamp, now);
  if (event.series) return `${since(event.series.lastObservedTime, now)} (x${event.series.count} over ${first})`;
  if ((event.count ?? 0) > 1) return `${since(event.lastTimestamp, now)} (x${event.count} over ${first})`;
  return first;
}

const lastSeen = (event: CoreV1Event): number => (event.lastTimestamp ? Date.parse(event.lastTimestamp) : 0);

export function writeEvents(page: Page, found: readonly CoreV1Event[] | undefined, now: number): void {
  if (!found) return;
  if (found.length === 0) {
    page.line(0, 'Events:', '<none>');
    return;
  }
  page.line(0, 'Events:');
  page.line(1, 'Type', 'Reason', 'Age', 'From', 'Message');
  page.line(1, '----', '------', '----', '----', '-------');
  for (const event of [...found].sort((a, b) => lastSeen(a) - lastSeen(b))) {
    const from = event.source?.component || event.reportingComponent || '';
    page.line(1, event.type ?? '', event.reason ?? '', intervalOf(event, now), from, (event.message ?? '').trim());
  }
}

/** The events of the object itself, at the foot of its page. */
export async function ownEvents(page: Page, object: Live, around: Surroundings): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  writeEvents(page, await eventsAbout({ kind: (object as KubeObject).kind, name, namespace, uid }, around), around.now);
}
