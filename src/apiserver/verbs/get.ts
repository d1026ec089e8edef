import type { ResourceResult } from '../../api/handler.ts';
import type { Live } from '../../api/resource.ts';
import { badRequest, notFound, StatusError, timedOut } from '../../api/status.ts';
import { type Operation, toVersion } from '../core.ts';
import { getPast } from './past.ts';

/** The stored object of a request, in storage version. Throws NotFound. */
export function currentObject(op: Operation): Live {
  const object = presentObject(op);
  if (!object)
    throw notFound({ group: op.kind.resource.group, resource: op.kind.resource.plural }, op.request.name ?? '');
  return object;
}

/** The same, undefined where there is none. */
export const presentObject = (op: Operation): Live | undefined =>
  op.stored.cache.objects.get(op.namespace, op.request.name ?? '');

/** Waits until a read of this resourceVersion can be answered. Throws BadRequest and, for one that does not come, Timeout. */
export async function readyFor(op: Operation, resourceVersion: string | undefined): Promise<number> {
  const { storage } = op.core;
  if (op.stored.loading) await op.stored.loading;
  if (resourceVersion === undefined || resourceVersion === '') {
    if (storage.shared) await storage.fresh();
    return 0;
  }
  const wanted = parseRevision(resourceVersion);
  if (wanted <= storage.revision()) return wanted;
  await Promise.race([storage.waitFor(wanted), new Promise<void>((resolve) => op.core.clock.after(3000, resolve))]);
  if (wanted > storage.revision()) throw tooLarge(wanted, storage.revision());
  return wanted;
}

/** Reads a resourceVersion. Throws BadRequest for what is not a number. */
export function parseRevision(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

/** 504 with the cause that clients look for (storage.NewTooLargeResourceVersionError). */
export function tooLarge(wanted: number, current: number): StatusError {
  const { status } = timedOut(`Too large resource version: ${wanted}, current: ${current}`, 1);
  return new StatusError({
    ...status,
    details: {
      ...status.details,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    },
  });
}

/** get: the object as the cache has it, which shows every write acknowledged before; or, where asked for, as it was. */
export async function get(op: Operation): Promise<ResourceResult> {
  const { resourceVersion, resourceVersionMatch, at } = op.request.options;
  if (at !== undefined || resourceVersionMatch === 'Exact') return getPast(op);
  if (resourceVersion !== '0') await readyFor(op, resourceVersion);
  return { type: 'object', object: toVersion(op.kind, op.stored, currentObject(op)), created: false };
}
