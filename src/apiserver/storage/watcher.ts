import type { WatchEvent, WatchStream } from '../../api/handler.ts';
import type { Live } from '../../api/resource.ts';
import type { Change } from './change.ts';

/** What a watcher sees of a resource. */
export interface WatchScope {
  readonly namespace?: string;
  readonly name?: string;
  /** Label and field selectors; absent = everything. */
  readonly matches?: (object: Live) => boolean;
  /** Converts from the storage version; absent = as stored. */
  readonly convert?: (object: Live) => Live;
  readonly bookmarks: boolean;
}

/** One running watch: takes batches of changes, gives them to one reader. */
export interface Watcher extends WatchStream {
  /** Hands over changes in order. A reader too far behind is cut off: its stream ends. */
  push(changes: readonly Change[]): void;
  /** The same for changes that are all its own: nothing is looked at again. */
  deliver(events: readonly WatchEvent[]): void;
  /** Set where it sees every change of one namespace, as it is: such watchers can share their batches. */
  readonly wholeNamespace: string | undefined;
  /** Puts ready-made events into the stream, whatever its length. */
  emit(events: readonly WatchEvent[]): void;
  bookmark(revision: number): void;
  /** Ends the stream after what is queued. */
  end(): void;
  /** Calls back once when the stream is over; at once where it is. */
  onEnd(callback: () => void): void;
  readonly ended: boolean;
}

/** Events a reader may be behind (upstream forces a watcher closed when its buffers are full). */
const limit = 16_384;

/** The event a watcher sees for a change, or undefined where it concerns nothing of its own. */
function seen(change: Change, scope: WatchScope): WatchEvent | undefined {
  const { namespace, name, matches, convert } = scope;
  const { metadata } = change.object;
  if (namespace !== undefined && metadata.namespace !== namespace) return undefined;
  if (name !== undefined && metadata.name !== name) return undefined;
  if (!matches) return convert ? { type: change.type, object: convert(change.object) } : change;
  const now = change.type !== 'DELETED' && matches(change.object);
  const before = change.type === 'ADDED' ? false : matches(change.old ?? change.object);
  if (!now && !before) return undefined;
  if (now && before && change.type === 'MODIFIED' && !convert) return change;
  const type = now ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
  if (change.type === type && !convert) return change;
  // An object that leaves the selection is shown as it was, with the revision at which it left.
  const shown =
    type === 'DELETED' && change.type === 'MODIFIED' && change.old ? atRevision(change.old, change) : change.object;
  return { type, object: convert ? convert(shown) : shown };
}

const atRevision = (old: Live, change: Change): Live => {
  const { resourceVersion } = change.object.metadata;
  return Object.freeze({ ...old, metadata: Object.freeze({ ...old.metadata, resourceVersion }) });
};

/** Starts a watcher; `onEnd` is called once, when it is over for whatever reason. */
export function startWatcher(scope: WatchScope, onEnd: (watcher: Watcher) => void): Watcher {
  const unfiltered = scope.name === undefined && !scope.matches && !scope.convert;
  const everything = unfiltered && scope.namespace === undefined;
  let queue: (readonly WatchEvent[])[] = [];
  let size = 0;
  let ended = false;
  const callbacks: (() => void)[] = [];
  let wake: (() => void) | undefined;

  const rouse = (): void => {
    const waiting = wake;
    wake = undefined;
    waiting?.();
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    onEnd(watcher);
    for (const callback of callbacks) callback();
    rouse();
  };
  const add = (events: readonly WatchEvent[]): void => {
    if (ended || events.length === 0) return;
    queue.push(events);
    size += events.length;
    rouse();
  };
  const next = async (): Promise<IteratorResult<readonly WatchEvent[], undefined>> => {
    for (;;) {
      const batch = queue.shift();
      if (batch) {
        size -= batch.length;
        return { done: false, value: batch };
      }
      if (ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  const watcher: Watcher = {
    wholeNamespace: unfiltered ? scope.namespace : undefined,
    push(changes) {
      if (everything) {
        watcher.deliver(changes);
        return;
      }
      const mine: WatchEvent[] = [];
      for (const change of changes) {
        const event = seen(change, scope);
        if (event) mine.push(event);
      }
      watcher.deliver(mine);
    },
    deliver(events) {
      if (size > 0 && size + events.length > limit) {
        queue = [];
        size = 0;
        end();
        return;
      }
      add(events);
    },
    emit: add,
    bookmark(revision) {
      // A reader who has not taken the last batch needs no progress mark.
      if (scope.bookmarks && size === 0)
        add([{ type: 'BOOKMARK', resourceVersion: String(revision), initialEventsEnd: false }]);
    },
    end,
    onEnd(callback) {
      if (ended) callback();
      else callbacks.push(callback);
    },
    get ended() {
      return ended;
    },
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => {
        queue = [];
        size = 0;
        end();
        return { done: true, value: undefined };
      },
    }),
  };
  return watcher;
}
