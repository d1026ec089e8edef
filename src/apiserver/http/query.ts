import { isRecord } from '../../api/draft.ts';
import { invalid, notSupported, tooLong } from '../../api/field-error.ts';
import type { RequestOptions } from '../../api/handler.ts';
import { badRequest, invalidObject } from '../../api/status.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const empty: RequestOptions = Object.freeze({});

/** Reads `a=b&c=d` into options. `optionsKind` (`CreateOptions`) names the type in errors. Throws BadRequest and Invalid. */
export function parseOptions(query: string, optionsKind: string): RequestOptions {
  if (query === '') return empty;
  const options: Mutable<RequestOptions> = {};
  for (const [key, value] of new URLSearchParams(query)) {
    switch (key) {
      case 'labelSelector':
      case 'fieldSelector':
      case 'continue':
      case 'resourceVersion':
      case 'fieldManager':
      case 'at':
        if (value !== '') options[key] = value;
        break;
      case 'resourceVersionMatch':
        if (value !== '') options.resourceVersionMatch = value as 'Exact';
        break;
      case 'limit':
      case 'timeoutSeconds':
      case 'gracePeriodSeconds':
        if (value !== '') options[key] = integer(key, value);
        break;
      case 'allowWatchBookmarks':
      case 'sendInitialEvents':
      case 'force':
      case 'orphanDependents':
        options[key] = bool(value);
        break;
      case 'ignoreStoreReadErrorWithClusterBreakingPotential':
        options.ignoreStoreReadErrorWithClusterBreakingPotential = bool(value);
        break;
      case 'dryRun':
        if (value !== 'All' && value !== '') throw bad(optionsKind, notSupported('dryRun', [value], ['All']));
        if (value === 'All') options.dryRun = true;
        break;
      case 'fieldValidation':
        if (value !== 'Strict' && value !== 'Warn' && value !== 'Ignore' && value !== '') {
          throw bad(optionsKind, notSupported('fieldValidation', value, ['', 'Ignore', 'Strict', 'Warn']));
        }
        if (value !== '') options.fieldValidation = value;
        break;
      case 'propagationPolicy':
        if (value !== '') options.propagationPolicy = value as 'Orphan';
        break;
      default:
        break;
    }
  }
  const { fieldManager = '' } = options;
  if (fieldManager.length > 128) throw bad(optionsKind, tooLong('fieldManager', 128));
  if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(fieldManager)) {
    throw bad(optionsKind, invalid('fieldManager', fieldManager, 'should only contain printable characters'));
  }
  return options;
}

const bad = (kind: string, error: Parameters<typeof invalidObject>[3][number]) =>
  invalidObject('meta.k8s.io', kind, '', [error]);

/** Whatever is not a clear no is a yes (apimachinery/pkg/runtime/conversion.go). */
const bool = (value: string): boolean => value !== '0' && value.toLowerCase() !== 'false';

function integer(key: string, value: string): number {
  if (!/^[-+]?\d{1,18}$/.test(value)) {
    throw badRequest(
      `unable to decode query ${key}: strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  }
  return Number(value);
}

/** True where the query asks for a watch. */
export function wantsWatch(query: string): boolean {
  if (!query.includes('watch=')) return false;
  const value = new URLSearchParams(query).get('watch');
  return value !== null && bool(value);
}

/** Options of a DELETE with those of its body over them. Throws BadRequest for a body that is no DeleteOptions. */
export function withDeleteBody(options: RequestOptions, body: unknown): RequestOptions {
  if (!isRecord(body)) throw badRequest('the body of a delete must be a DeleteOptions object');
  const { kind } = body;
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') {
    throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  }
  const merged: Mutable<RequestOptions> = { ...options };
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = body;
  if (typeof gracePeriodSeconds === 'number') merged.gracePeriodSeconds = gracePeriodSeconds;
  if (typeof propagationPolicy === 'string') merged.propagationPolicy = propagationPolicy as 'Orphan';
  if (typeof orphanDependents === 'boolean') merged.orphanDependents = orphanDependents;
  if (isRecord(preconditions)) merged.preconditions = preconditions as { uid?: string };
  if (Array.isArray(dryRun) && dryRun.length > 0) {
    if (dryRun.some((it) => it !== 'All')) throw bad('DeleteOptions', notSupported('dryRun', dryRun, ['All']));
    merged.dryRun = true;
  }
  return merged;
}
