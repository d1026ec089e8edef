/** One operation on one register, as a client saw it. Times are of one clock; `end` Infinity: the answer never came. */
export interface RegisterOperation {
  readonly start: number;
  readonly end: number;
  readonly action:
    | { readonly type: 'read'; readonly value: string | undefined }
    /** Sets `to` where the register holds `from` (undefined: nothing). `done` undefined: not known. */
    | {
        readonly type: 'swap';
        readonly from: string | undefined;
        readonly to: string | undefined;
        readonly done: boolean | undefined;
      };
}

/** The register's values after an operation takes effect on `state`; empty where it cannot have happened there. */
function effects({ action }: RegisterOperation, state: string | undefined): readonly (string | undefined)[] {
  if (action.type === 'read') return action.value === state ? [state] : [];
  const holds = action.from === state;
  switch (action.done) {
    case true:
      return holds ? [action.to] : [];
    case false:
      return holds ? [] : [state];
    case undefined:
      // Without an answer it may have been done or not; where it does not hold nothing happens either way.
      return holds ? [action.to, state] : [state];
  }
}

/**
 * Whether there is an order of the operations, each at one instant between its start and its end, in which a register would have
 * answered all of them as it did (Wing and Gong's search, remembering what it has tried). At most 1,000 operations.
 */
export function isLinearizable(operations: readonly RegisterOperation[], initial?: string): boolean {
  const sorted = [...operations].sort((a, b) => a.start - b.start);
  if (sorted.length > 1000) throw new Error('too many operations on one register');
  const tried = new Set<string>();
  const search = (done: bigint, left: number, state: string | undefined): boolean => {
    if (left === 0) return true;
    const mark = `${done.toString(36)}|${state ?? '\0'}`;
    if (tried.has(mark)) return false;
    tried.add(mark);
    let earliestEnd = Number.POSITIVE_INFINITY;
    for (const [index, { end }] of sorted.entries()) {
      if ((done & (1n << BigInt(index))) === 0n && end < earliestEnd) earliestEnd = end;
    }
    // What nobody got an answer to may also never take effect.
    if (earliestEnd === Number.POSITIVE_INFINITY) return true;
    for (const [index, operation] of sorted.entries()) {
      const bit = 1n << BigInt(index);
      if ((done & bit) !== 0n) continue;
      if (operation.start > earliestEnd) break;
      for (const next of effects(operation, state)) if (search(done | bit, left - 1, next)) return true;
    }
    return false;
  };
  return search(0n, sorted.length, initial);
}
