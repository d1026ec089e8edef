import type { PatchType, UserInfo, WatchStream } from '../api/handler.ts';
import type { KubeObject, Live, ObjectList, Resource } from '../api/resource.ts';
import type { ReadMark } from '../api/trace.ts';

export interface ReadOptions {
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends ReadOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WriteOptions {
  /** Defaults to the object's own namespace. */
  readonly namespace?: string;
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  /** What the writer had read when it decided; recorded as provenance. */
  readonly reads?: readonly ReadMark[];
  readonly signal?: AbortSignal;
}

export interface PatchOptions extends WriteOptions {
  readonly type: PatchType;
  /** For apply: take fields over from other managers. */
  readonly force?: boolean;
}

export interface DeleteOptions extends WriteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * A typed client of the API server, the same in process and over HTTPS. Answers are deeply frozen. Every method throws
 * `StatusError` when the server refuses, and plain `Error` when it cannot be reached.
 */
export interface Client {
  get<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    options?: ReadOptions & { readonly subresource?: string },
  ): Promise<Live<T>>;
  /** Namespaced resources without `namespace`: all namespaces. Follows no continue token. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<WatchStream<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<Live<T>>;
  /** Creates a subresource whose kind is not the resource's own: binding, eviction, token. */
  createSubresource<B extends KubeObject, R extends KubeObject = B>(
    resource: Resource,
    name: string,
    subresource: string,
    body: B,
    options?: WriteOptions,
  ): Promise<R>;
  /** Replaces the object; its metadata.resourceVersion, where set, must be the stored one. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<Live<T>>;
  patch<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    patch: unknown,
    options: PatchOptions,
  ): Promise<Live<T>>;
  delete<T extends KubeObject>(resource: Resource<T>, name: string, options?: DeleteOptions): Promise<void>;
  deleteCollection<T extends KubeObject>(resource: Resource<T>, options: ListOptions & DeleteOptions): Promise<void>;
  /** The identity it acts as, where known. */
  readonly user?: UserInfo;
}
