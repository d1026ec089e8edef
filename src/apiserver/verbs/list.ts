import { forbiddenField, notSupported } from '../../api/field-error.ts';
import type { ResourceResult } from '../../api/handler.ts';
import { apiVersionOf, type Live, type ObjectList } from '../../api/resource.ts';
import { badRequest, expired, invalidObject, StatusError } from '../../api/status.ts';
import { CompactedError, FutureRevisionError } from '../../store/store.ts';
import { type Operation, toVersion } from '../core.ts';
import { decodeContinue, encodeContinue } from '../storage/continue-token.ts';
import { readyFor, tooLarge } from './get.ts';
import { withoutAt } from './past.ts';
import { type Selection, selectionOf } from './selection.ts';

interface Page {
  readonly objects: readonly Live[];
  readonly revision: number;
  /** The last key looked at (below the prefix), where more follows. */
  readonly last?: string;
  readonly remaining?: number;
}

/** list: from the cache wherever the cache still shows the revision asked for, else from the store's history. */
export async function list(given: Operation): Promise<ResourceResult> {
  const op = given.request.options.at === undefined ? given : await withoutAt(given);
  const selection = selectionOf(op.stored.kind, op.request.options);
  const page = await selectPage(op, selection);
  const { kind, stored } = op;
  const items = kind === stored.kind ? page.objects : page.objects.map((it) => toVersion(kind, stored, it));
  const result: ObjectList = {
    kind: `${kind.resource.kind}List`,
    apiVersion: apiVersionOf(kind.resource),
    metadata: {
      resourceVersion: String(page.revision),
      ...(page.last !== undefined && {
        continue: encodeContinue({ revision: page.revision, start: `${page.last}\0` }),
      }),
      ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
    },
    items,
  };
  return { type: 'list', list: result };
}

async function selectPage(op: Operation, selection: Selection): Promise<Page> {
  const { options } = op.request;
  checkOptions(op);
  const limit = options.limit ?? 0;
  const within = op.namespace !== '' ? op.namespace : (selection.namespace ?? '');
  if (op.namespace !== '' && selection.namespace !== undefined && selection.namespace !== op.namespace) {
    return { objects: [], revision: op.core.storage.revision() };
  }
  if (options.continue) {
    const token = decodeContinue(options.continue);
    await readyFor(op, undefined);
    if (token.revision < 0) return fromCache(op, selection, within, token.start, limit);
    return atRevision(op, selection, within, token.revision, token.start, limit);
  }
  const wanted = await readyFor(op, options.resourceVersion);
  const exact = options.resourceVersionMatch === 'Exact' || (!options.resourceVersionMatch && limit > 0);
  if (wanted > 0 && exact) return atRevision(op, selection, within, wanted, '', limit);
  return fromCache(op, selection, within, '', limit);
}

function checkOptions(op: Operation): void {
  const { resourceVersion, resourceVersionMatch, continue: token } = op.request.options;
  const errors = [];
  if (resourceVersionMatch) {
    if (token)
      errors.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
      );
    if (!resourceVersion) {
      errors.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      );
    } else if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
      errors.push(
        forbiddenField('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
    if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', resourceVersionMatch, ['Exact', 'NotOlderThan', '']));
    }
  }
  if (errors.length > 0) throw invalidObject('meta.k8s.io', 'ListOptions', '', errors);
  if (token && resourceVersion && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
}

/** Key of an object below what the list ranges over. */
const keyBelow = (within: string, object: Live): string =>
  within === '' && object.metadata.namespace
    ? `${object.metadata.namespace}/${object.metadata.name}`
    : object.metadata.name;

/** `a/x` sorts by the bytes of the whole key, in which a namespace ends with a slash. */
function fromCache(op: Operation, selection: Selection, within: string, start: string, limit: number): Page {
  const { objects } = op.stored.cache;
  const revision = op.core.storage.revision();
  const { name, matches } = selection;
  if (name !== undefined && (within !== '' || !op.kind.resource.namespaced)) {
    const object = objects.get(within, name);
    return { objects: object && (!matches || matches(object)) ? [object] : [], revision };
  }
  const all = objects.list(op.kind.resource.namespaced && within === '' ? undefined : within);
  let from = 0;
  if (start !== '') {
    let high = all.length;
    while (from < high) {
      const middle = (from + high) >>> 1;
      const object = all[middle];
      if (object && keyBelow(within, object) < start) from = middle + 1;
      else high = middle;
    }
  }
  const chosen: Live[] = [];
  let at = from;
  for (; at < all.length; at++) {
    const object = all[at];
    if (!object) break;
    if (name !== undefined && object.metadata.name !== name) continue;
    if (matches && !matches(object)) continue;
    if (limit > 0 && chosen.length === limit) break;
    chosen.push(object);
  }
  if (at >= all.length) return { objects: chosen, revision };
  const last = chosen.at(-1);
  const plain = !matches && name === undefined;
  return {
    objects: chosen,
    revision,
    last: last ? keyBelow(within, last) : start,
    ...(plain && { remaining: all.length - at }),
  };
}

/** A page as of an earlier revision. While the resource has not changed since, the cache shows the same. */
async function atRevision(
  op: Operation,
  selection: Selection,
  within: string,
  revision: number,
  start: string,
  limit: number,
): Promise<Page> {
  const { stored, core } = op;
  if (revision > core.storage.revision()) throw tooLarge(revision, core.storage.revision());
  if (stored.cache.changedAt <= revision) return { ...fromCache(op, selection, within, start, limit), revision };
  const { name, matches } = selection;
  const plain = !matches && name === undefined;
  const folder = within !== '' && op.kind.resource.namespaced ? `${within}/` : '';
  const chosen: Live[] = [];
  let from = start;
  try {
    for (;;) {
      const size = limit > 0 ? (plain ? limit : Math.max(limit, 500)) : 0;
      const part = await core.storage.rangeAt(stored, revision, folder, from, size);
      for (const [index, object] of part.objects.entries()) {
        if (name !== undefined && object.metadata.name !== name) continue;
        if (matches && !matches(object)) continue;
        chosen.push(object);
        if (limit === 0 || chosen.length < limit) continue;
        const more = part.more || index + 1 < part.objects.length;
        return {
          objects: chosen,
          revision,
          ...(more && { last: keyBelow(within, object) }),
          ...(more && plain && { remaining: part.count - index - 1 }),
        };
      }
      const last = part.objects.at(-1);
      if (!part.more || !last) return { objects: chosen, revision };
      from = `${keyBelow(within, last)}\0`;
    }
  } catch (error) {
    if (error instanceof CompactedError) throw start === '' ? tooOld(revision, error) : continueTooOld(start);
    if (error instanceof FutureRevisionError) throw tooLarge(revision, error.currentRevision);
    throw error;
  }
}

const tooOld = (revision: number, error: CompactedError): StatusError =>
  expired(`too old resource version: ${revision} (${error.compactedRevision})`);

/** 410 with a token that goes on without consistency (etcd3.handleCompactedErrorForPaging). */
function continueTooOld(start: string): StatusError {
  const { status } = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the ' +
      'continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with ' +
      'the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time ' +
      'the first chunk was returned and now may show up in the list.',
  );
  return new StatusError({ ...status, metadata: { continue: encodeContinue({ revision: -1, start }) } });
}
