import { allResources } from '../api/generated/resources.ts';
import type { Resource } from '../api/resource.ts';
import type { Reference } from './reference.ts';
import { nearestOne } from './text/nearest.ts';

/** What the user asks about cannot be understood; the message says why. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}

const matches = (it: Resource, name: string): boolean =>
  it.plural === name || it.singular === name || it.kind.toLowerCase() === name || (it.shortNames ?? []).includes(name);

function resourceNamed(text: string): Resource {
  const [name = ''] = text.toLowerCase().split('.');
  const found = allResources.find((it) => matches(it, name));
  if (found) return found;
  const guess = nearestOne(
    name,
    allResources.flatMap((it) => [it.plural, it.singular]),
  );
  throw new TargetError(`there is no resource type "${text}"${guess ? ` (did you mean ${guess}?)` : ''}`);
}

/** `pod/web`, `pod web`, or `web` alone for a pod; undefined for no arguments. Throws `TargetError`. */
export function targetOf(args: readonly string[], namespace: string): Reference | undefined {
  const [first, second, ...more] = args;
  if (first === undefined) return undefined;
  if (more.length > 0) throw new TargetError('name one object: TYPE/NAME or TYPE NAME');
  const parts = second === undefined ? first.split('/') : [first, second];
  if (parts.length > 2) throw new TargetError('arguments in resource/name form may not have more than one slash');
  const [type = '', name = ''] = parts.length === 1 ? ['pod', first] : parts;
  if (type === '' || name === '') throw new TargetError('name an object: TYPE/NAME or TYPE NAME');
  const resource = resourceNamed(type);
  return { kind: resource.kind, ...(resource.namespaced && { namespace }), name };
}
