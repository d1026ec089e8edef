import { CompactedError, type KeyRange, type StoreEvent, type StoreWatch, type WatchSink } from '../store.ts';
import type { Backend } from './backend.ts';
import type { Bounds } from './reader.ts';
import { decodeRecord, modRevisionOf } from './record.ts';

interface Watcher {
  readonly range: KeyRange;
  readonly sink: WatchSink;
  /** The next revision it has not been told of. */
  next: number;
  /** False while it still reads the log. */
  live: boolean;
  cancelled: boolean;
  progressWanted: boolean;
}

/** How many log entries a late watcher reads before others get a turn. */
const chunk = 1000;
const inRange = (key: string, range: KeyRange): boolean => key >= range.start && key < range.end;

/** Event of one log row, rebuilt from the tables. */
function eventAt(backend: Backend, key: string, revision: number): StoreEvent | undefined {
  const present = backend.get('current', key);
  const record = present && modRevisionOf(present) === revision ? present : backend.get('history', [key, revision]);
  if (!record) return undefined;
  const { entry, tombstone } = decodeRecord(key, record);
  return { type: tombstone ? 'delete' : 'put', key, entry };
}

/** Hands committed events to watchers; those who start in the past read the log until they have caught up. */
export function watchers(backend: Backend, bounds: () => Bounds) {
  const all = new Set<Watcher>();

  const stop = (watcher: Watcher, error?: Error): void => {
    if (watcher.cancelled) return;
    watcher.cancelled = true;
    all.delete(watcher);
    if (error) watcher.sink.closed(error);
  };

  const tellProgress = (watcher: Watcher): void => {
    watcher.progressWanted = false;
    watcher.sink.progress?.(watcher.next - 1);
  };

  const catchUp = (watcher: Watcher): void => {
    if (watcher.cancelled) return;
    const { revision, compacted } = bounds();
    if (watcher.next < compacted) {
      stop(watcher, new CompactedError(compacted));
      return;
    }
    let read = 0;
    let batch: StoreEvent[] = [];
    let at = watcher.next;
    const flush = (): void => {
      if (batch.length > 0) watcher.sink.events(batch, at);
      batch = [];
      watcher.next = at + 1;
    };
    for (const { key: logKey, value } of backend.scan('log', [watcher.next, 0], [revision + 1, 0])) {
      const [rowRevision] = logKey as readonly [number, number];
      if (rowRevision !== at) {
        flush();
        if (watcher.cancelled) return;
        at = rowRevision;
        if (read >= chunk) {
          watcher.next = at;
          setImmediate(catchUp, watcher);
          return;
        }
      }
      read += 1;
      const key = Buffer.from(value).toString();
      const event = inRange(key, watcher.range) ? eventAt(backend, key, rowRevision) : undefined;
      if (event) batch.push(event);
    }
    flush();
    watcher.next = revision + 1;
    watcher.live = true;
    if (watcher.progressWanted) tellProgress(watcher);
  };

  return {
    add(range: KeyRange, startRevision: number, sink: WatchSink): StoreWatch {
      const { revision } = bounds();
      const watcher: Watcher = {
        range,
        sink,
        next: startRevision === 0 ? revision + 1 : startRevision,
        live: startRevision === 0 || startRevision > revision,
        cancelled: false,
        progressWanted: false,
      };
      all.add(watcher);
      if (!watcher.live) setImmediate(catchUp, watcher);
      return {
        cancel: () => stop(watcher),
        requestProgress() {
          watcher.progressWanted = true;
          if (watcher.live && !watcher.cancelled) setImmediate(() => watcher.progressWanted && tellProgress(watcher));
        },
      };
    },
    publish(batches: readonly { readonly revision: number; readonly events: readonly StoreEvent[] }[]): void {
      for (const { revision, events } of batches) {
        for (const watcher of all) {
          if (!watcher.live || revision < watcher.next) continue;
          const { range } = watcher;
          const first = events[0];
          const mine =
            events.length === 1 && first
              ? inRange(first.key, range)
                ? events
                : []
              : events.filter((event) => inRange(event.key, range));
          watcher.next = revision + 1;
          if (mine.length > 0) watcher.sink.events(mine, revision);
        }
      }
    },
    /** Ends every watch. */
    close(error: Error): void {
      for (const watcher of [...all]) stop(watcher, error);
    },
  };
}
