import type { Entry, Operation, Transaction } from '../store.ts';

/** What became of a transaction whose answer was lost: the revision it made, or 0 where it was never applied. */
export type Outcome = number;

/** The operation on a key that had to be at a known revision, if there is one: such a transaction can be told from the key's history. */
export function telling(
  transaction: Transaction,
): { readonly operation: Operation; readonly expected: number } | undefined {
  for (const operation of transaction.operations) {
    const expected = transaction.compares.find(({ key }) => key === operation.key)?.modRevision ?? 0;
    if (expected > 0) return { operation, expected };
  }
  return undefined;
}

/**
 * Finds out whether an operation on a key that was at revision `expected` has been applied up to `until`, beyond which it cannot be any
 * more. The first change after `expected` decides, since at most one transaction that compares it succeeds. `readAt` gives the key's
 * entry as of a revision and throws where that is compacted.
 */
export async function findOutcome(
  operation: Operation,
  expected: number,
  until: number,
  readAt: (key: string, revision: number) => Promise<Entry | undefined>,
): Promise<Outcome> {
  const { key } = operation;
  const changed = (entry: Entry | undefined): boolean => entry?.modRevision !== expected;
  let first = await readAt(key, until);
  if (!changed(first)) return 0;
  let low = expected;
  let high = until;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const entry = await readAt(key, middle);
    if (changed(entry)) {
      high = middle;
      first = entry;
    } else low = middle;
  }
  const ours =
    operation.type === 'delete' ? !first : first !== undefined && Buffer.compare(first.value, operation.value) === 0;
  return ours ? high : 0;
}
