import type { V1Pod } from '../api/generated/types.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Change, ClusterChange, Interest, Plugin, Rejection } from './framework.ts';
import { heap } from './heap.ts';

/**
 * Pods that wait for a node, in three places (pkg/scheduler/backend/queue): active ones are tried next, by priority and then
 * by age; backing-off ones may help a change but were tried lately; unschedulable ones wait for a change of the cluster that
 * a plugin which refused them says can help.
 */
export interface QueuedPod {
  readonly uid: string;
  pod: V1Pod;
  attempts: number;
  /** Refusals in all: what the back-off grows with. */
  refusals: number;
  errors: number;
  /** When it was first queued, epoch milliseconds. */
  readonly since: number;
  /** When it entered its present place. */
  at: number;
  place: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'cycle';
  /** Plugins that refused it last. */
  plugins: ReadonlySet<string>;
  backoffUntil: number;
  /** Tells present entries of the heaps from left-overs. */
  ticket: number;
}

export interface QueueSizes {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
  readonly gated: number;
}

export interface SchedulingQueue {
  add(pod: V1Pod): void;
  /** The pod itself changed; `relevant` when more than its status did. */
  update(pod: V1Pod, old: V1Pod, relevant: boolean): void;
  remove(uid: string): void;
  /** The next pod to try, in its cycle from now on. */
  pop(): QueuedPod | undefined;
  /** Its cycle ended with a refusal by `plugins`. */
  refused(entry: QueuedPod, plugins: ReadonlySet<string>): void;
  /** Its cycle broke: tried again after its back-off, whatever happens. */
  failed(entry: QueuedPod): void;
  /** The cluster changed: moves the pods that this may help. */
  changed(kind: ClusterChange, change: Change): void;
  /** Tries these at once: their reservation was taken away. */
  activate(uid: string): void;
  readonly sizes: QueueSizes;
  close(): void;
}

const initialBackoff = 1000;
const maxBackoff = 10_000;
/** Unschedulable pods are tried again after this long even if nothing seems to have changed. */
const maxUnschedulable = 5 * 60_000;
const flushEvery = 30_000;

const backoffAfter = (count: number): number =>
  count === 0 ? 0 : Math.min(maxBackoff, initialBackoff * 2 ** Math.min(count - 1, 10));

interface Ticket {
  readonly entry: QueuedPod;
  readonly ticket: number;
}
const valid = ({ entry, ticket }: Ticket, place: QueuedPod['place']): boolean =>
  entry.ticket === ticket && entry.place === place;

/** A queue that calls `ready` when a pod has become active. */
export function schedulingQueue(options: {
  readonly clock: Clock;
  readonly plugins: readonly Plugin[];
  readonly ready: () => void;
}): SchedulingQueue {
  const { clock, plugins, ready } = options;
  const entries = new Map<string, QueuedPod>();
  let tickets = 0;
  const priority = (it: QueuedPod): number => it.pod.spec?.priority ?? 0;
  const active = heap<Ticket>((a, b) => {
    const by = priority(b.entry) - priority(a.entry) || a.entry.at - b.entry.at || a.ticket - b.ticket;
    return by < 0;
  });
  const waiting = heap<Ticket>((a, b) => a.entry.backoffUntil < b.entry.backoffUntil);
  const interests = new Map<ClusterChange, Map<string, Interest[]>>();
  for (const plugin of plugins) {
    for (const interest of plugin.interests ?? []) {
      for (const kind of interest.on) {
        let byPlugin = interests.get(kind);
        if (!byPlugin) {
          byPlugin = new Map();
          interests.set(kind, byPlugin);
        }
        byPlugin.set(plugin.name, [...(byPlugin.get(plugin.name) ?? []), interest]);
      }
    }
  }
  let timer: Timer | undefined;
  let flush: Timer | undefined;
  const parked = new Set<QueuedPod>();

  const gateOf = (pod: V1Pod): Rejection | undefined => {
    for (const plugin of plugins) {
      const rejection = plugin.preEnqueue?.(pod);
      if (rejection) return { ...rejection, plugin: plugin.name };
    }
    return undefined;
  };
  const place = (entry: QueuedPod, where: QueuedPod['place']): void => {
    entry.place = where;
    entry.ticket = ++tickets;
    entry.at = clock.now();
    if (where === 'unschedulable' || where === 'gated') parked.add(entry);
    else parked.delete(entry);
  };
  const enter = (entry: QueuedPod): void => {
    const gate = gateOf(entry.pod);
    if (gate) {
      entry.plugins = new Set([gate.plugin ?? '']);
      place(entry, 'gated');
      return;
    }
    place(entry, 'active');
    active.push({ entry, ticket: entry.ticket });
    ready();
  };
  const back = (entry: QueuedPod): void => {
    if (entry.backoffUntil <= clock.now()) {
      enter(entry);
      return;
    }
    place(entry, 'backoff');
    waiting.push({ entry, ticket: entry.ticket });
    arm();
    // An idle scheduler does not wait for a pod that was refused, only for one that failed.
    if (entry.errors === 0) ready();
  };
  const arm = (): void => {
    timer?.cancel();
    timer = undefined;
    let top = waiting.peek();
    while (top && !valid(top, 'backoff')) {
      waiting.pop();
      top = waiting.peek();
    }
    if (!top) return;
    timer = clock.after(
      Math.max(0, top.entry.backoffUntil - clock.now()),
      () => {
        const now = clock.now();
        for (let it = waiting.peek(); it; it = waiting.peek()) {
          if (valid(it, 'backoff')) {
            if (it.entry.backoffUntil > now) break;
            waiting.pop();
            enter(it.entry);
          } else waiting.pop();
        }
        arm();
      },
      { background: true },
    );
  };
  const armFlush = (): void => {
    if (flush || parked.size === 0) return;
    flush = clock.after(
      flushEvery,
      () => {
        flush = undefined;
        const before = clock.now() - maxUnschedulable;
        for (const entry of [...parked]) if (entry.place === 'unschedulable' && entry.at <= before) back(entry);
        armFlush();
      },
      { background: true },
    );
  };
  const helps = (entry: QueuedPod, kind: ClusterChange, change: Change): boolean => {
    if (entry.plugins.size === 0) return true;
    const byPlugin = interests.get(kind);
    if (!byPlugin) return false;
    for (const name of entry.plugins) {
      for (const interest of byPlugin.get(name) ?? []) {
        if (!interest.hint || interest.hint(entry.pod, change)) return true;
      }
    }
    return false;
  };
  return {
    add(pod) {
      const uid = pod.metadata?.uid ?? '';
      if (entries.has(uid)) return;
      const now = clock.now();
      const entry: QueuedPod = {
        uid,
        pod,
        attempts: 0,
        refusals: 0,
        errors: 0,
        since: now,
        at: now,
        place: 'cycle',
        plugins: new Set(),
        backoffUntil: 0,
        ticket: 0,
      };
      entries.set(uid, entry);
      enter(entry);
    },
    update(pod, old, relevant) {
      const entry = entries.get(pod.metadata?.uid ?? '');
      if (!entry) return;
      entry.pod = pod;
      if (!relevant) return;
      if (entry.place === 'gated') {
        if (!gateOf(pod)) enter(entry);
      } else if (entry.place === 'unschedulable' && helps(entry, 'Pod/Update', { old, next: pod })) back(entry);
    },
    remove(uid) {
      const entry = entries.get(uid);
      if (!entry) return;
      entries.delete(uid);
      entry.ticket = ++tickets;
      entry.place = 'cycle';
      parked.delete(entry);
    },
    pop() {
      for (let top = active.pop(); top; top = active.pop()) {
        if (!valid(top, 'active')) continue;
        place(top.entry, 'cycle');
        top.entry.attempts++;
        return top.entry;
      }
      let top = waiting.peek();
      while (top && !valid(top, 'backoff')) {
        waiting.pop();
        top = waiting.peek();
      }
      if (!top || top.entry.errors > 0 || gateOf(top.entry.pod)) return undefined;
      waiting.pop();
      place(top.entry, 'cycle');
      top.entry.attempts++;
      return top.entry;
    },
    refused(entry, by) {
      if (entries.get(entry.uid) !== entry) return;
      entry.plugins = by;
      entry.refusals++;
      entry.errors = 0;
      entry.backoffUntil = clock.now() + backoffAfter(entry.refusals);
      place(entry, 'unschedulable');
      armFlush();
    },
    failed(entry) {
      if (entries.get(entry.uid) !== entry) return;
      entry.plugins = new Set();
      entry.errors++;
      entry.backoffUntil = clock.now() + backoffAfter(entry.errors);
      back(entry);
    },
    changed(kind, change) {
      if (parked.size === 0) return;
      for (const entry of [...parked]) {
        if (entry.place === 'unschedulable' && helps(entry, kind, change)) back(entry);
      }
    },
    activate(uid) {
      const entry = entries.get(uid);
      if (entry && (entry.place === 'unschedulable' || entry.place === 'backoff')) enter(entry);
    },
    get sizes() {
      const sizes = { active: 0, backoff: 0, unschedulable: 0, gated: 0 };
      for (const entry of entries.values()) if (entry.place !== 'cycle') sizes[entry.place]++;
      return sizes;
    },
    close() {
      timer?.cancel();
      flush?.cancel();
    },
  };
}
