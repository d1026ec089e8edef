import { assert } from '../../base/assert.ts';
import {
  CompactedError,
  type Entry,
  FutureRevisionError,
  type KeyRange,
  type RangeOptions,
  type RangeResult,
} from '../store.ts';
import type { Backend } from './backend.ts';
import { decodeRecord, modRevisionOf } from './record.ts';

/** The two revisions that bound what can be read. */
export interface Bounds {
  readonly revision: number;
  readonly compacted: number;
}

/** Throws unless history reaches `revision`. */
export function checkRevision(revision: number, bounds: Bounds): void {
  if (revision > bounds.revision) throw new FutureRevisionError(bounds.revision);
  if (revision < bounds.compacted) throw new CompactedError(bounds.compacted);
}

/** The entry of `key` as of `revision`, from the present table or the history of what was overwritten. */
export function readAt(backend: Backend, key: string, revision: number): Entry | undefined {
  const record = backend.get('current', key);
  if (record && modRevisionOf(record) <= revision) return decodeRecord(key, record).entry;
  let found: Entry | undefined;
  for (const { value } of backend.scan('history', [key, 0], [key, revision + 1])) {
    const { entry, tombstone } = decodeRecord(key, value);
    found = tombstone ? undefined : entry;
  }
  return found;
}

function rangeNow(backend: Backend, range: KeyRange, limit: number, keysOnly: boolean): readonly Entry[] {
  const entries: Entry[] = [];
  for (const { key, value } of backend.scan('current', range.start, range.end)) {
    assert(typeof key === 'string', 'keys of the present table are text');
    entries.push(decodeRecord(key, value, keysOnly).entry);
    if (limit > 0 && entries.length === limit) break;
  }
  return entries;
}

/** The state of a range at a past revision: the present entries old enough, and from history what has changed since. */
function rangeThen(backend: Backend, range: KeyRange, revision: number, keysOnly: boolean): readonly Entry[] {
  const found = new Map<string, Entry>();
  for (const { key, value } of backend.scan('history', [range.start, 0], [range.end, 0])) {
    assert(Array.isArray(key) && typeof key[0] === 'string', 'keys of history are text and revision');
    if (modRevisionOf(value) > revision) continue;
    const { entry, tombstone } = decodeRecord(key[0], value, keysOnly);
    if (tombstone) found.delete(key[0]);
    else found.set(key[0], entry);
  }
  for (const { key, value } of backend.scan('current', range.start, range.end)) {
    assert(typeof key === 'string', 'keys of the present table are text');
    if (modRevisionOf(value) <= revision) found.set(key, decodeRecord(key, value, keysOnly).entry);
  }
  return [...found.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}

/** Reads a range now or as of a retained revision. */
export function readRange(backend: Backend, bounds: Bounds, range: KeyRange, options: RangeOptions): RangeResult {
  const wanted = options.revision ?? 0;
  const limit = options.limit ?? 0;
  const keysOnly = options.keysOnly ?? false;
  if (wanted !== 0) checkRevision(wanted, bounds);
  if (wanted === 0 || wanted === bounds.revision) {
    const entries = rangeNow(backend, range, limit, keysOnly);
    const count =
      limit === 0 || entries.length < limit ? entries.length : backend.count('current', range.start, range.end);
    return { revision: bounds.revision, entries, more: count > entries.length, count };
  }
  const all = rangeThen(backend, range, wanted, keysOnly);
  const entries = limit === 0 ? all : all.slice(0, limit);
  return { revision: bounds.revision, entries, more: all.length > entries.length, count: all.length };
}
