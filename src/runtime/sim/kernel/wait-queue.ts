/** Those who wait for something to change. Everybody is woken and looks again. */
export interface WaitQueue {
  /** Registers for one wake-up; the returned function takes it back. */
  add(wake: () => void): () => void;
  wake(): void;
  readonly size: number;
}

export function waitQueue(): WaitQueue {
  let waiting: Set<() => void> | undefined;
  return {
    add(wake) {
      waiting ??= new Set();
      const set = waiting;
      set.add(wake);
      return () => void set.delete(wake);
    },
    wake() {
      if (!waiting || waiting.size === 0) return;
      const all = [...waiting];
      waiting.clear();
      for (const wake of all) wake();
    },
    get size() {
      return waiting?.size ?? 0;
    },
  };
}
