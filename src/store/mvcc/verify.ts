import type { Backend } from './backend.ts';
import { decodeRecord, isTombstone, modRevisionOf } from './record.ts';

/** What a reading of everything found. */
export interface Verification {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly keys: number;
  readonly historic: number;
  /** One line for each fault; empty for a sound store. At most `mostFaults`. */
  readonly faults: readonly string[];
}

const mostFaults = 100;
const last = '\u{ffff}';
/** Rows read between turns of the event loop. */
const turn = 2000;

/**
 * Reads every row: checksums of all records, that each belongs to its key, that no revision is beyond the store's, that the log of
 * revisions is without gaps or repeats since the compaction and each of its entries is there.
 */
export async function verifyBackend(
  backend: Pick<Backend, 'get' | 'scan'>,
  bounds: { readonly revision: number; readonly compacted: number },
): Promise<Verification> {
  const faults: string[] = [];
  const fault = (line: string): void => {
    if (faults.length < mostFaults) faults.push(line);
  };
  const counts = { current: 0, history: 0 };
  const attempt = (where: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      fault(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const read = (table: 'current' | 'history'): void => {
    const range: readonly [string | readonly [string, number], string | readonly [string, number]] =
      table === 'current'
        ? ['', last]
        : [
            ['', 0],
            [last, 0],
          ];
    for (const { key, value } of backend.scan(table, ...range)) {
      const name = typeof key === 'object' ? String(key[0]) : String(key);
      counts[table] += 1;
      attempt(table, () => {
        const { entry } = decodeRecord(name, value);
        if (entry.modRevision > bounds.revision) fault(`${name}: revision ${entry.modRevision} is beyond the store's`);
        if (typeof key === 'object' && key[1] !== entry.modRevision)
          fault(`${name}: revision ${entry.modRevision} lies at ${key[1]}`);
        if (entry.createRevision > entry.modRevision) fault(`${name}: created after its last change`);
      });
    }
  };
  attempt('current', () => read('current'));
  attempt('history', () => read('history'));
  let at = bounds.compacted;
  let index = 0;
  let seen = 0;
  const rows: (readonly [number, number, string])[] = [];
  attempt('log', () => {
    for (const { key, value } of backend.scan('log', [bounds.compacted + 1, 0], [Number.MAX_SAFE_INTEGER, 0])) {
      const [revision, number] = key as readonly [number, number];
      rows.push([revision, number, Buffer.from(value).toString()]);
    }
  });
  for (const [revision, number, key] of rows) {
    if (seen++ % turn === 0) await new Promise(setImmediate);
    // The first revision of a store is its own, without a change.
    const follows = revision === at ? number === index : number === 0 && (revision === at + 1 || at <= 1);
    if (!follows) fault(`log: revision ${revision}.${number} follows ${at}.${index - 1}`);
    index = number + 1;
    at = revision;
    const present = backend.get('current', key);
    const record = present && modRevisionOf(present) === revision ? present : backend.get('history', [key, revision]);
    if (!record) fault(`log: revision ${revision} of ${key} is missing`);
    else if (isTombstone(record) && present && modRevisionOf(present) < revision)
      fault(`${key}: deleted at ${revision}, yet present`);
  }
  if (rows.length > 0 && at !== bounds.revision) fault(`log: ends at ${at}, the store is at ${bounds.revision}`);
  return {
    revision: bounds.revision,
    compactedRevision: bounds.compacted,
    keys: counts.current,
    historic: counts.history,
    faults,
  };
}
