import { type Clock, sleep } from '../base/clock.ts';
import type { Finding } from '../doctor/finding.ts';
import type { Look } from '../doctor/look.ts';
import { keyOf, show } from '../doctor/reference.ts';
import { complain, type Streams, say } from './output.ts';

export interface WatchOptions {
  readonly first: Look;
  readonly again: () => Promise<Look>;
  readonly clock: Clock;
  readonly streams: Streams;
  readonly signal?: AbortSignal;
}

/** The pause between two looks, milliseconds: at least this, and at least ten times what a look took. */
const pauseMs = 2000;

const identity = (it: Finding): string => `${it.rule}|${it.cause || keyOf(it.subject)}|${it.container ?? ''}`;

/** Tells findings as they come and go, until interrupted or the signal. Resolves with 0. */
export async function watchWhy({ first, again, clock, streams, signal }: WatchOptions): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  signal?.addEventListener('abort', interrupt, { once: true });
  let known = new Map<string, Finding>();
  let seen: Look | undefined = first;
  try {
    while (!stop.signal.aborted) {
      if (seen) known = tell(known, seen, streams);
      const began = clock.monotonic();
      seen = await tryAgain(again, streams);
      await sleep(clock, Math.max(pauseMs, 10 * (clock.monotonic() - began)), stop.signal);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
  return 0;
}

/** A server that is away for a moment ends no watch. */
async function tryAgain(again: () => Promise<Look>, streams: Streams): Promise<Look | undefined> {
  try {
    return await again();
  } catch (error) {
    complain(streams, `cannot look just now: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function tell(known: ReadonlyMap<string, Finding>, { diagnosis }: Look, streams: Streams): Map<string, Finding> {
  const time = new Date(diagnosis.at).toISOString().slice(11, 19);
  const now = new Map(diagnosis.findings.map((it) => [identity(it), it]));
  for (const [key, it] of now)
    if (!known.has(key)) {
      const many = it.affected.length > 1 ? ` (and ${it.affected.length - 1} more)` : '';
      say(streams, `${time}  + ${show(it.subject)}${many}: ${it.says}  [${it.rule}]`);
    }
  for (const [key, it] of known) if (!now.has(key)) say(streams, `${time}  - ${show(it.subject)}: over  [${it.rule}]`);
  if (known.size === 0 && now.size === 0 && diagnosis.unexplained.length === 0) return now;
  if (known.size > 0 && now.size === 0) say(streams, `${time}  healthy`);
  return now;
}
