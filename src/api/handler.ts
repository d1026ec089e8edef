import type { KubeObject, Live, ObjectList } from './resource.ts';
import type { ReadMark } from './trace.ts';

/** Who asks. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml';

/** Query parameters and DeleteOptions, parsed. Strings are as the client sent them. */
export interface RequestOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  /** For get and list, beyond upstream: as of a revision, a moment (RFC 3339) or how long ago (`5m`), while it is kept. */
  readonly at?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  readonly force?: boolean;
  /** True for `dryRun=All`. */
  readonly dryRun?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

/** A request for a resource, after routing and authentication, before authorization. */
export interface ResourceRequest {
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly options: RequestOptions;
  /** For create and update. The handler takes it over: a sender must not change it afterwards. */
  readonly body?: KubeObject;
  /** What strict decoding has found in the raw body already: `duplicate field "spec.x"`. */
  readonly bodyErrors?: readonly string[];
  readonly patch?: { readonly type: PatchType; readonly body: unknown };
  readonly user: UserInfo;
  /** The client's name, for managedFields: the part of the User-Agent before the slash. */
  readonly userAgent?: string;
  /** What the sender had read when it decided to write (components only). */
  readonly reads?: readonly ReadMark[];
  /** Ends a watch; ends a wait in any other verb. */
  readonly signal?: AbortSignal;
  /** Called with each warning for the client, in order. */
  readonly warn?: (message: string) => void;
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Live<T> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  | { readonly type: 'ERROR'; readonly error: Error };

/** A running watch: batches of events in revision order. Ends when the server or the signal ends it. */
export type WatchStream<T extends KubeObject = KubeObject> = AsyncIterable<readonly WatchEvent<T>[]>;

export type ResourceResult =
  | { readonly type: 'object'; readonly object: Live; readonly created: boolean }
  /** An answer that is no stored object: Status, Scale, Eviction, TokenRequest, SubjectAccessReview. */
  | { readonly type: 'answer'; readonly code: number; readonly object: KubeObject }
  | { readonly type: 'list'; readonly list: ObjectList }
  | { readonly type: 'watch'; readonly stream: WatchStream };

/** The API server's core, as in-process clients and the HTTP front reach it. Throws `StatusError`. */
export type ApiHandler = (request: ResourceRequest) => Promise<ResourceResult>;
