import type { Clock, Timer } from '../../base/clock.ts';
import {
  CompactedError,
  type Entry,
  type KeyRange,
  type StoreEvent,
  type StoreWatch,
  type WatchSink,
} from '../store.ts';
import type { EtcdChannel, WatchStream } from './channel.ts';
import { entryOf, type KeyMap, type WireWatch } from './wire.ts';

/** Pause before a broken watch is begun again, milliseconds. */
const retryAfter = 200;
/** A stream that is silent for so long is asked for progress, and given up when it stays silent. */
const silence = 10_000;

const nothing = Buffer.alloc(0);

export interface WatchContext {
  readonly channel: EtcdChannel;
  readonly clock: Clock;
  readonly keys: KeyMap;
  /** The newest revision that any answer has shown: a watch from now on begins behind it, with what this client cannot know of. */
  readonly newest: () => number;
  readonly readRevision: () => Promise<number>;
  /**
   * Where progress that the server tells may overtake events (etcd before 3.4.25 and 3.5.8), writes a mark into the range; its event
   * cannot. Undefined where the server can be trusted.
   */
  readonly mark: ((range: KeyRange) => Promise<unknown>) | undefined;
  readonly isMark: (key: string) => boolean;
}

/** Watches a range, and goes on with another member where one fails: each event once, in order. */
export function etcdWatch(context: WatchContext, range: KeyRange, startRevision: number, sink: WatchSink): StoreWatch {
  const { channel, clock, keys } = context;
  let next = startRevision || context.newest() + 1;
  let told = startRevision > 0;
  let stream: WatchStream | undefined;
  let cancelled = false;
  let timer: Timer | undefined;
  let progressWanted = false;
  let idle: Timer | undefined;
  let asked = false;

  const drop = (): void => {
    idle?.cancel();
    if (!stream) return;
    stream.removeAllListeners();
    stream.on('error', () => undefined);
    stream.cancel();
    stream = undefined;
  };
  const stop = (error?: Error): void => {
    if (cancelled) return;
    cancelled = true;
    timer?.cancel();
    drop();
    if (error) sink.closed(error);
  };
  const again = (): void => {
    if (cancelled || timer) return;
    drop();
    channel.moveOn();
    timer = clock.after(retryAfter, () => {
      timer = undefined;
      void begin();
    });
  };
  const listen = (): void => {
    idle?.cancel();
    idle = clock.after(
      silence,
      () => {
        if (asked) {
          again();
          return;
        }
        asked = true;
        stream?.write({ progressRequest: {} });
        listen();
      },
      { background: true },
    );
  };
  const tellProgress = (revision: number): void => {
    next = Math.max(next, revision + 1);
    sink.progress?.(revision);
  };
  const ask = (): void => {
    progressWanted = false;
    if (context.mark) void context.mark(range).catch(again);
    else stream?.write({ progressRequest: {} });
  };
  const deliver = (reply: WireWatch): void => {
    let batch: StoreEvent[] = [];
    let at = 0;
    const flush = (): void => {
      if (batch.length > 0 && !cancelled) sink.events(batch, at);
      batch = [];
    };
    let marked = 0;
    for (const { type, kv } of reply.events) {
      const entry = entryOf(kv, keys);
      if (entry.modRevision < next) continue;
      if (entry.modRevision !== at) flush();
      at = entry.modRevision;
      if (context.isMark(entry.key)) marked = at;
      else batch.push(eventOf(type, entry));
    }
    flush();
    told = true;
    if (at > 0) next = at + 1;
    if (marked > 0 && !cancelled) sink.progress?.(marked);
  };
  const onReply = (reply: WireWatch): void => {
    if (cancelled) return;
    asked = false;
    listen();
    if (reply.canceled) {
      const compacted = Number(reply.compactRevision);
      if (compacted > 0 && told) stop(new CompactedError(compacted));
      else {
        if (compacted > 0) next = 0;
        again();
      }
      return;
    }
    if (reply.created) {
      if (progressWanted) ask();
      return;
    }
    if (reply.events.length > 0) deliver(reply);
    else if (!context.mark) tellProgress(Number(reply.header.revision));
  };
  const begin = async (): Promise<void> => {
    try {
      if (next === 0) next = (await context.readRevision()) + 1;
      const opened = await channel.stream('Watch.Watch');
      if (cancelled) {
        opened.on('error', () => undefined);
        opened.cancel();
        return;
      }
      stream = opened;
      opened.on('data', onReply);
      opened.on('error', again);
      opened.on('end', again);
      opened.write({
        createRequest: { ...keys.range(range), startRevision: next, progressNotify: context.mark === undefined },
      });
      listen();
    } catch {
      again();
    }
  };
  void begin();
  return {
    cancel: () => stop(),
    requestProgress() {
      progressWanted = true;
      if (stream) ask();
    },
  };
}

function eventOf(type: 'PUT' | 'DELETE', entry: Entry): StoreEvent {
  if (type === 'PUT') return { type: 'put', key: entry.key, entry };
  return { type: 'delete', key: entry.key, entry: { ...entry, value: nothing, createRevision: 0, version: 0 } };
}
