import type { KubeObject, Live, Resource } from '../api/resource.ts';
import type { SpanSink } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { InformerSet } from '../client/informer.ts';

/** What a controller is given. */
export interface ControllerContext {
  readonly client: Client;
  readonly informers: InformerSet;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  readonly signal: AbortSignal;
  /** Adds a key to the controller's own queue, now or after `ms` milliseconds: for what no declared watch tells. */
  enqueue(key: string, ms?: number): void;
}

/** One resource that a controller watches, and the keys of its own that a change concerns. */
export interface Watched<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  /** Keys to reconcile when an object appears, changes (`old` given) or goes (`gone`). */
  keys(
    object: Live<T>,
    change: { readonly old?: Live<T>; readonly gone: boolean },
    context: ControllerContext,
  ): readonly string[];
}

/** One permission, as in an RBAC rule. */
export interface AccessRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The outcome of a reconcile: nothing more to do, or again after so many milliseconds. A throw retries with back-off. */
export type Outcome = { readonly again?: number } | undefined;

export interface Controller {
  /** Kubernetes' name: `deployment-controller`. Acts as `system:serviceaccount:kube-system:<name>`. */
  readonly name: string;
  readonly watches: readonly Watched[];
  /** What it reads and writes: its ClusterRole `system:controller:<name>`. */
  readonly access: readonly AccessRule[];
  /** Brings the world towards what the object with this key wants. Gets a key, never an event. One key never runs twice at a time. */
  reconcile(key: string, context: ControllerContext): Promise<Outcome>;
  /** Runs once, after its informers are synced and before the first reconcile. */
  start?(context: ControllerContext): Promise<void>;
  /** Concurrent keys; default 5. */
  readonly workers?: number;
  /** How it signs its events, where upstream does not sign with the name: `node-controller`. */
  readonly eventSource?: string;
}

/** Declares a watch with its object type kept. */
export function watched<T extends KubeObject>(watch: Watched<T>): Watched {
  return watch as unknown as Watched;
}
