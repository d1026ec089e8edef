import type { KindDefinition } from '../../kinds/kind.ts';

/** Seconds after which an object vanishes: events live an hour (--event-ttl). */
export function ttlOf(kind: KindDefinition): number | undefined {
  const { group, plural } = kind.resource;
  return group === '' && plural === 'events' ? 3600 : undefined;
}
