import type { V1Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { tolerates } from '../../kinds/core/node-match.ts';
import { isMirrorPod, isStaticPod } from '../pods/observed.ts';
import { qosClass } from '../pods/resources.ts';
import { limitsLocalStorage, localStorageExcess } from './local-storage.ts';
import type { PodUsage } from './pod-usage.ts';
import { type Candidate, evictionMessage, rankVictims } from './rank.ts';
import {
  conditionOf,
  mostUrgent,
  type Observations,
  type PressureType,
  resourceOf,
  type Signal,
  type Threshold,
  thresholdsMet,
} from './thresholds.ts';

/** How a pod is made to end. */
export interface Eviction {
  readonly reason: 'Evicted';
  readonly message: string;
  /** Seconds. */
  readonly grace: number;
  /** Sets DisruptionTarget with this message. */
  readonly disruption: boolean;
}

export interface EvictionPod {
  readonly pod: V1Pod;
  evict(eviction: Eviction): void;
}

export interface EvictionManager {
  /** Looks at the node and, where it must, evicts. Never rejects. True when the node's conditions have changed. */
  synchronize(): Promise<boolean>;
  pressures(): readonly PressureType[];
  /** Why a new pod may not come in under the present pressure; undefined = it may. */
  refuses(pod: V1Pod): string | undefined;
}

export interface EvictionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly thresholds: readonly Threshold[];
  /** Milliseconds that a condition stays after its cause has gone. */
  readonly transitionMs: number;
  /** Seconds that pods get at soft thresholds. */
  readonly softGrace: number;
  readonly observe: () => Promise<Observations>;
  /** Pods with something running. */
  readonly pods: () => readonly EvictionPod[];
  readonly measure: (pods: readonly V1Pod[]) => Promise<ReadonlyMap<string, PodUsage>>;
  /** Frees disk without hurting pods: unused images, dead containers. */
  readonly reclaim: () => Promise<void>;
  readonly nodeEvent: (reason: string, message: string) => void;
}

/** Seconds that an evicted pod gets at a hard threshold. */
const hardGrace = 1;

/** Pods that pressure never touches. Upstream: types.IsCriticalPod. */
export function isCriticalPod(pod: V1Pod): boolean {
  return isStaticPod(pod) || isMirrorPod(pod) || (pod.spec?.priority ?? 0) >= 2_000_000_000;
}

/** Keeps the node from running out of memory, disk and processes. Upstream: pkg/kubelet/eviction. */
export function evictionManager(options: EvictionOptions): EvictionManager {
  const { clock, log } = options;
  const firstSeen = new Map<Signal, number>();
  const lastSeen = new Map<PressureType, number>();
  let conditions: readonly PressureType[] = [];

  const evict = (it: EvictionPod, message: string, grace: number, disruption: boolean): boolean => {
    if (isCriticalPod(it.pod)) {
      log.warn('cannot evict a critical pod', { pod: it.pod.metadata?.name ?? '' });
      return false;
    }
    it.evict({ reason: 'Evicted', message, grace, disruption });
    return true;
  };

  const localStorage = async (pods: readonly EvictionPod[]): Promise<boolean> => {
    const limited = pods.filter((it) => limitsLocalStorage(it.pod));
    if (limited.length === 0) return false;
    const usage = await options.measure(limited.map((it) => it.pod));
    let any = false;
    for (const it of limited) {
      const own = usage.get(it.pod.metadata?.uid ?? '');
      const excess = own && localStorageExcess(it.pod, own);
      if (excess !== undefined && evict(it, excess, hardGrace, false)) any = true;
    }
    return any;
  };

  const relieve = async (met: readonly Threshold[], observations: Observations): Promise<void> => {
    const threshold = mostUrgent(met);
    if (!threshold) return;
    const resource = resourceOf[threshold.signal];
    options.nodeEvent('EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (conditionOf[threshold.signal] === 'DiskPressure') {
      await options.reclaim().catch((error: unknown) => log.warn('cannot free disk', { error }));
      if (thresholdsMet(options.thresholds, await options.observe()).length === 0) return;
    }
    const pods = options.pods();
    const usage = await options.measure(pods.map((it) => it.pod));
    const candidates: Candidate[] = pods.map(({ pod }) => ({ pod, usage: usage.get(pod.metadata?.uid ?? '') }));
    for (const candidate of rankVictims(resource, candidates)) {
      const it = pods.find(({ pod }) => pod === candidate.pod);
      const grace = threshold.graceMs === undefined ? hardGrace : options.softGrace;
      // One pod at a time: its end may be enough.
      if (it && evict(it, evictionMessage(resource, candidate, met, observations), grace, true)) return;
    }
  };

  return {
    pressures: () => conditions,
    async synchronize() {
      try {
        const observations = await options.observe();
        const now = clock.now();
        const met = thresholdsMet(options.thresholds, observations);
        for (const signal of firstSeen.keys()) if (!met.some((it) => it.signal === signal)) firstSeen.delete(signal);
        for (const { signal } of met) {
          if (!firstSeen.has(signal)) firstSeen.set(signal, now);
          lastSeen.set(conditionOf[signal], now);
        }
        const next = [...lastSeen].filter(([, at]) => now - at < options.transitionMs || at === now).map(([it]) => it);
        const changed = next.length !== conditions.length || next.some((it) => !conditions.includes(it));
        conditions = next;
        const due = met.filter((it) => now - (firstSeen.get(it.signal) ?? now) >= (it.graceMs ?? 0));
        if (await localStorage(options.pods())) return changed;
        await relieve(due, observations);
        return changed;
      } catch (error) {
        log.warn('cannot look for pressure on the node', { error });
        return false;
      }
    },
    refuses(pod) {
      if (conditions.length === 0 || isCriticalPod(pod)) return undefined;
      if (conditions.length === 1 && conditions[0] === 'MemoryPressure') {
        if (qosClass(pod) !== 'BestEffort') return undefined;
        const taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };
        if ((pod.spec?.tolerations ?? []).some((it) => tolerates(it, taint))) return undefined;
      }
      return `The node had condition: [${conditions.join(' ')}]. `;
    },
  };
}
