import type { Span, SpanSink } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';

/** Which object's spans are wanted: by uid, or by what it is called. */
export interface TraceQuery {
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** Takes spans as they are made and gives them back by object. */
export interface TraceRecorder extends SpanSink {
  /** In order of start. Spans taken before the object had a uid count too, unless they are older than its name's last owner. */
  query(query: TraceQuery): readonly Span[];
  /** The newest spans of all objects, oldest first. */
  recent(count: number): readonly Span[];
  readonly size: number;
  /** Spans that made room for newer ones. */
  readonly dropped: number;
}

/** Spans kept of one object: its beginning and its latest. */
const perObject = 256;

interface Track {
  readonly spans: Span[];
  /** Epoch milliseconds of the last span taken. */
  at: number;
}

const nameKey = (it: TraceQuery): string => `${it.resource}/${it.namespace ?? ''}/${it.name}`;

/** A recorder that holds at most `limit` spans (50,000); the objects that have been quiet longest are forgotten first. */
export function createTraceRecorder(options: { readonly clock: Clock; readonly limit?: number }): TraceRecorder {
  const { clock, limit = 50_000 } = options;
  /** By uid and by name, in order of last use: a Map keeps the order of insertion. */
  const tracks = new Map<string, Track>();
  const latest: Span[] = [];
  let size = 0;
  let dropped = 0;
  const keyOf = (it: TraceQuery): string => (it.uid ? `uid/${it.uid}` : nameKey(it));
  return {
    record(span) {
      const key = keyOf(span.subject);
      const track = tracks.get(key) ?? { spans: [], at: 0 };
      tracks.delete(key);
      tracks.set(key, track);
      track.at = clock.now();
      track.spans.push(span);
      size++;
      // The beginning tells how it came to life, the end what it does now; what is between goes first.
      if (track.spans.length > perObject) {
        track.spans.splice(perObject / 2, 1);
        size--;
        dropped++;
      }
      latest.push(span);
      if (latest.length > 2048) latest.splice(0, 1024);
      while (size > limit) {
        const oldest = tracks.entries().next().value;
        if (!oldest) break;
        tracks.delete(oldest[0]);
        size -= oldest[1].spans.length;
        dropped += oldest[1].spans.length;
      }
    },
    query(query) {
      const own = query.uid ? (tracks.get(`uid/${query.uid}`)?.spans ?? []) : [];
      const named = tracks.get(nameKey(query))?.spans ?? [];
      const byUid = query.uid ? own : spansByName(tracks, query);
      return [...byUid, ...named].sort((a, b) => a.start - b.start || a.end - b.end);
    },
    recent: (count) => latest.slice(-count),
    get size() {
      return size;
    },
    get dropped() {
      return dropped;
    },
  };
}

/** Without a uid: the spans of the last object that had this name. */
function spansByName(tracks: ReadonlyMap<string, Track>, query: TraceQuery): readonly Span[] {
  let found: readonly Span[] = [];
  const wanted = nameKey(query);
  for (const [key, { spans }] of tracks) {
    const subject = spans[0]?.subject;
    if (key.startsWith('uid/') && subject && nameKey(subject) === wanted) found = spans;
  }
  return found;
}
