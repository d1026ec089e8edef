import type { ResourceResult } from '../../api/handler.ts';
import { badRequest, expired, notFound } from '../../api/status.ts';
import { CompactedError, FutureRevisionError } from '../../store/store.ts';
import { type Operation, toVersion } from '../core.ts';
import { parseMoment } from '../storage/timeline.ts';
import { readyFor, tooLarge } from './get.ts';

/** The revision that `at` names. Throws BadRequest, and Expired for what is kept no more. */
export async function revisionOf(op: Operation, at: string): Promise<number> {
  const { timeline, storage, clock } = op.core;
  const moment = parseMoment(at, clock.now());
  if ('revision' in moment) return moment.revision;
  // The time is written down in revisions of its own, which may be newer than any object.
  return Math.min(await timeline.revisionAt(moment.time), storage.revision());
}

/** The request with `at` turned into an exact resourceVersion, which upstream's lists have. */
export async function withoutAt(op: Operation): Promise<Operation> {
  const { at, ...options } = op.request.options;
  if (at === undefined || options.continue) return op;
  if (options.resourceVersion || options.resourceVersionMatch)
    throw badRequest('at and resourceVersion must not be given together');
  const resourceVersion = String(await revisionOf(op, at));
  return { ...op, request: { ...op.request, options: { ...options, resourceVersion, resourceVersionMatch: 'Exact' } } };
}

/** get as of a past revision, from the store's history. */
export async function getPast(given: Operation): Promise<ResourceResult> {
  const op = await withoutAt(given);
  const { kind, stored, core, namespace, request } = op;
  const { name = '', options } = request;
  if (!options.resourceVersion || options.resourceVersion === '0')
    throw badRequest('resourceVersionMatch "Exact" wants a resourceVersion');
  const revision = await readyFor(op, options.resourceVersion);
  try {
    const object = await core.storage.objectAt(stored, namespace, name, revision);
    if (!object) throw notFound({ group: kind.resource.group, resource: kind.resource.plural }, name);
    return { type: 'object', object: toVersion(kind, stored, object), created: false };
  } catch (error) {
    if (error instanceof CompactedError)
      throw expired(`too old resource version: ${revision} (${error.compactedRevision})`);
    if (error instanceof FutureRevisionError) throw tooLarge(revision, error.currentRevision);
    throw error;
  }
}
