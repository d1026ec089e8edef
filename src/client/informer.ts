import type { KubeObject, Live, Resource } from '../api/resource.ts';
import type { Client } from './client.ts';

export interface InformerHandler<T extends KubeObject> {
  add?(object: Live<T>): void;
  update?(next: Live<T>, old: Live<T>): void;
  remove?(object: Live<T>): void;
}

export interface InformerOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A local, always current copy of a resource, kept by list and watch. Objects are the shared frozen ones. */
export interface Informer<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Key: `namespace/name`, or `name` for cluster-scoped. */
  get(key: string): Live<T> | undefined;
  list(): readonly Live<T>[];
  /** Objects whose index function gave this value. */
  byIndex(index: string, value: string): readonly Live<T>[];
  /** Must be added before it is used; indexes what is there already. `namespace` and `owner` (controller uid) are built in. */
  addIndex(index: string, values: (object: Live<T>) => readonly string[]): void;
  /** Calls `add` for what is there already, then each change. Returns a function that unsubscribes. */
  subscribe(handler: InformerHandler<T>): () => void;
  /** True after the first full list. */
  readonly synced: boolean;
  /** Resolves when synced; rejects when the informer stops first. */
  whenSynced(): Promise<void>;
  /** The newest resourceVersion seen. */
  readonly resourceVersion: string;
}

/** One informer for each resource and options, shared by all who ask, started on first use. */
export interface InformerSet {
  informer<T extends KubeObject>(resource: Resource<T>, options?: InformerOptions): Informer<T>;
  whenSynced(): Promise<void>;
  readonly client: Client;
}

/** `namespace/name` or `name`. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata ?? {};
  return namespace ? `${namespace}/${name}` : `${name}`;
}

/** Splits what `keyOf` made. */
export function splitKey(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
