import type { V1Pod } from '../../api/generated/types.ts';
import type { Eviction } from '../eviction/eviction-manager.ts';
import type { ObservedPod } from './observed.ts';

/** `room`: another pod has gone, which may let a deferred resize through. */
export type PokeReason = 'runtime' | 'volumes' | 'probe' | 'room' | 'state';

export type WorkerPhase = 'sync' | 'terminating' | 'terminated' | 'finished';

/** Drives one pod from its first sight to its last. Everything it does is in order: one step at a time. */
export interface PodWorker {
  readonly uid: string;
  /** The newest object. */
  pod(): V1Pod;
  /** The pod with the resources granted to it. */
  granted(): V1Pod;
  phase(): WorkerPhase;
  observed(): ObservedPod;
  /** A newer object from the API or the static source. */
  update(pod: V1Pod): void;
  /** Ends the pod as failed, in favour of its node. */
  evict(eviction: Eviction): void;
  /** The pod is no longer wanted here: end it, and keep nothing. */
  remove(): void;
  /** Look again: the runtime, a probe, a volume source or a timer says so. */
  poke(what: PokeReason): void;
  /** True until all its containers have stopped for good. */
  mayHaveRunning(): boolean;
  /** Resolves when nothing is in progress. */
  settled(): Promise<void>;
  stop(): void;
}

export interface PodWorkerHooks {
  /** Asks whether the node grants these resources; undefined = yes. */
  refuseResize(pod: V1Pod): { readonly reason: 'Infeasible' | 'Deferred'; readonly message: string } | undefined;
  /** It is over: nothing of the pod is left to do. */
  onFinished(worker: PodWorker): void;
  /** Nothing of it is left in the runtime either, and nobody wants it: forget it. */
  onGone(worker: PodWorker): void;
  /** Before work begins, for static pods: brings the mirror up to date. */
  beforeSync?(pod: V1Pod): Promise<void>;
}
