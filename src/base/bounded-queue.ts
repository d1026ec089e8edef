/** A queue for one reader with a limit: a full queue refuses, it never grows. */
export interface BoundedQueue<T> extends AsyncIterable<T> {
  /** Adds an item; false when the queue is full or closed, and then the item is not in it. */
  push(item: T): boolean;
  /** No more items: the reader drains what is left and then ends, or throws `error` where one is given. */
  close(error?: Error): void;
  readonly size: number;
  readonly closed: boolean;
}

/** A queue that holds at most `limit` items. */
export function boundedQueue<T>(limit: number): BoundedQueue<T> {
  let items: T[] = [];
  let head = 0;
  let closed = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const size = (): number => items.length - head;
  const next = async (): Promise<IteratorResult<T, undefined>> => {
    while (size() === 0) {
      if (closed) {
        if (failure) throw failure;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const value = items[head++] as T;
    if (head > 1024 && head * 2 > items.length) {
      items = items.slice(head);
      head = 0;
    } else if (head === items.length) {
      items = [];
      head = 0;
    }
    return { done: false, value };
  };
  const rouse = (): void => {
    const waiting = wake;
    wake = undefined;
    waiting?.();
  };
  const close = (error?: Error): void => {
    if (closed) return;
    closed = true;
    failure = error;
    rouse();
  };
  return {
    push(item) {
      if (closed || size() >= limit) return false;
      items.push(item);
      rouse();
      return true;
    },
    close,
    get size() {
      return size();
    },
    get closed() {
      return closed;
    },
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => {
        close();
        items = [];
        head = 0;
        return { done: true, value: undefined };
      },
    }),
  };
}
