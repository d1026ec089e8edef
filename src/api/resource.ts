import type { V1ListMeta, V1ObjectMeta } from './generated/types.ts';

/** Any object of the API: what every kind has. `metadata` may be absent in what clients send. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: V1ObjectMeta;
}

/** Metadata of an object that has been stored: what the server always fills in. */
export interface LiveMeta extends V1ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
}

/** An object as the API server gives it back. Deeply frozen; never change it, build a new one. */
export type Live<T extends KubeObject = KubeObject> = T & { readonly metadata: LiveMeta };

export interface ObjectList<T extends KubeObject = KubeObject> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: V1ListMeta;
  readonly items: readonly Live<T>[];
}

export interface GroupVersionKind {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupResource {
  readonly group: string;
  /** The plural, lower case: `pods`. */
  readonly resource: string;
}

export interface GroupVersionResource extends GroupResource {
  readonly version: string;
}

export interface SubresourceInfo {
  readonly name: string;
  readonly kind: string;
  /** Where it differs from the resource's own: `autoscaling/v1` for scale, `policy/v1` for eviction. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** What a client needs to know to speak of a resource. Constants for the built-in ones: generated/resources.ts. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly SubresourceInfo[];
  /** The name of its schema in generated/schemas.json; absent for custom resources. */
  readonly definition?: string;
  /** Never present: carries the object's type for the compiler. */
  readonly __type?: T;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(it: { readonly group: string; readonly version: string }): string {
  return it.group === '' ? it.version : `${it.group}/${it.version}`;
}

/** Splits `apps/v1` or `v1`. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `pods`, `deployments.apps`: how Kubernetes' messages name a resource. */
export function qualified(it: GroupResource): string {
  return it.group === '' ? it.resource : `${it.resource}.${it.group}`;
}
