/** The seams inside the API server: between its core (storage, verbs, HTTP) and what is plugged into it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ResourceRequest, ResourceResult, UserInfo } from '../api/handler.ts';
import type { GroupVersionKind, KubeObject, Live, Resource } from '../api/resource.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Draft, KindDefinition } from '../kinds/kind.ts';

/** Reads the server's own, always current cache without a copy. Objects are in their storage version. */
export interface ObjectReader {
  get<T extends KubeObject>(resource: Resource<T>, namespace: string | undefined, name: string): Live<T> | undefined;
  /** Namespace undefined: all. */
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): readonly Live<T>[];
  /** Calls back after each change of the resource, in order, once the cache shows it. Returns a function that stops it. */
  subscribe<T extends KubeObject>(
    resource: Resource<T>,
    onChange: (change: {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: Live<T>;
      readonly old?: Live<T>;
    }) => void,
  ): () => void;
}

/** The kinds being served; custom resources come and go. */
export interface KindRegistry {
  /** The definition that serves group/version/plural. */
  find(group: string, version: string, plural: string): KindDefinition | undefined;
  byKind(gvk: GroupVersionKind): KindDefinition | undefined;
  list(): readonly KindDefinition[];
  /** Adds or replaces definitions of a custom resource (all its versions). */
  install(definitions: readonly KindDefinition[]): void;
  uninstall(group: string, plural: string): void;
  /** Goes up with every change, for discovery and OpenAPI caches. */
  readonly generation: number;
  /** Called after each change. */
  onChange(callback: () => void): () => void;
}

/** What a credential-bearing connection or header shows. */
export interface Credentials {
  /** The verified client certificate's subject, where TLS gave one. */
  readonly certificate?: {
    readonly commonName: string;
    readonly organizations: readonly string[];
    /** SHA-256 of the certificate, in small hex without colons. */
    readonly fingerprint: string;
    /** Epoch milliseconds after which it is not believed any more. */
    readonly notAfter?: number;
  };
  readonly bearerToken?: string;
  /** Impersonate-User, -Group, -Uid, -Extra-*; handled after authentication, by authorization of the impersonate verb. */
  readonly impersonate?: {
    readonly user: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
}

/** Finds the user (anonymous where there is no credential), or throws Unauthorized for a bad one. */
export interface Authenticator {
  /** The user at once where nothing needs to be waited for. */
  authenticate(credentials: Credentials): UserInfo | Promise<UserInfo>;
  /** Checks one token for these audiences (TokenReview). */
  reviewToken(
    token: string,
    audiences: readonly string[],
  ): Promise<{
    readonly authenticated: boolean;
    readonly user?: UserInfo;
    readonly audiences?: readonly string[];
    readonly error?: string;
  }>;
}

export interface AccessAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  /** For resource requests. */
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** For non-resource requests: `/healthz`. */
  readonly path?: string;
  /** Of a list, watch or deletecollection, as sent: the Node authorizer lets a kubelet list its own pods only. */
  readonly fieldSelector?: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** `RBAC: allowed by …` or why not, upstream's words. */
  readonly reason: string;
}

export interface Authorizer {
  authorize(attributes: AccessAttributes): Decision | Promise<Decision>;
  /** For SelfSubjectRulesReview. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): {
    readonly resourceRules: readonly {
      readonly verbs: readonly string[];
      readonly apiGroups: readonly string[];
      readonly resources: readonly string[];
      readonly resourceNames?: readonly string[];
    }[];
    readonly nonResourceRules: readonly {
      readonly verbs: readonly string[];
      readonly nonResourceURLs: readonly string[];
    }[];
    readonly incomplete: boolean;
  };
}

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly kind: KindDefinition;
  readonly resource: Resource;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
  /** Being admitted; mutating plugins change it in place. Undefined for DELETE. For subresources with their own kind: that object. */
  readonly object: Draft | undefined;
  readonly old: Live | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly options: ResourceRequest['options'];
  readonly warn: (message: string) => void;
}

/** Plugins run in the order of the list: first every `admit`, then, after validation of the object, every `validate`. Both throw StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** The resources whose requests it sees (`pods`, `roles.rbac.authorization.k8s.io`), subresources included. Absent: all. */
  readonly resources?: readonly string[];
  admit?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
  /** Undoes a reservation (quota) when the write fails after `validate`. */
  rollback?(request: AdmissionRequest): void | Promise<void>;
}

/** What plugins and special handlers get from the core. */
export interface ServerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly reader: ObjectReader;
  readonly kinds: KindRegistry;
  readonly authorizer: Authorizer;
  /**
   * Sends a request through the server itself as `user` (authorization and admission included unless
   * `user` is the loopback `system:apiserver` in group `system:masters`).
   */
  dispatch(request: ResourceRequest): Promise<ResourceResult>;
  /**
   * Reads, changes and writes one stored object with retries on conflict, without authorization and admission. `change` gets a mutable
   * copy; returning undefined leaves the object as it is. Throws NotFound.
   */
  mutate<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    name: string,
    change: (object: Draft, live: Live<T>) => Draft | undefined,
    options?: {
      readonly dryRun?: boolean;
      readonly manager?: string;
      readonly user?: UserInfo;
      /** Leaves managedFields as they are: the server itself writes, as for a binding. */
      readonly untracked?: boolean;
    },
  ): Promise<Live<T>>;
}

/** Answers requests that the generic verbs do not: `pods/binding`, `pods/eviction`, `serviceaccounts/token`, `subjectaccessreviews`. Authorized already. */
export type SpecialHandler = (request: ResourceRequest, context: ServerContext) => Promise<ResourceResult>;

/**
 * Takes over a connection: `pods/log`, `pods/exec`, `pods/attach`, `pods/portforward`, `pods|services|nodes/proxy`. Authorized already. For an
 * upgrade, `upgrade` holds the raw socket and `response` is absent; otherwise `response` is there.
 */
export type ConnectHandler = (
  connect: {
    readonly request: IncomingMessage;
    readonly response?: ServerResponse;
    readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer };
    readonly resource: Resource;
    readonly subresource: string;
    readonly namespace?: string;
    readonly name: string;
    /** What follows `/proxy`, beginning with a slash. */
    readonly path: string;
    readonly query: URLSearchParams;
    readonly user: UserInfo;
  },
  context: ServerContext,
) => Promise<void>;

/** Opens an HTTP connection to a node's kubelet: a socket, or an in-process pair. The kubelet trusts it as `user`. */
export interface KubeletDialer {
  dial(
    nodeName: string,
  ): Promise<{ readonly socket: Duplex; readonly host: string; readonly headers: Readonly<Record<string, string>> }>;
}

/** Opens a TCP connection to an address of the pod or service network, as the server sees it (services/proxy, pods/proxy, webhooks by service). */
export interface ClusterDialer {
  connect(host: string, port: number): Promise<Duplex>;
}
