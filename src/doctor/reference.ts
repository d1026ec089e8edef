import type { KubeObject } from '../api/resource.ts';

/** Names an object of the cluster. `namespace` is absent for cluster-wide kinds. */
export interface Reference {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The reference of an object. */
export function referenceOf(object: KubeObject): Reference {
  const { namespace, name } = object.metadata ?? {};
  return { kind: object.kind ?? '', ...(namespace && { namespace }), name: name ?? '' };
}

/** A key that is equal for equal references. */
export const keyOf = (it: Reference): string => `${it.kind}/${it.namespace ?? ''}/${it.name}`;

/** `pod shop/web`, `node n1`: as people say it. */
export const show = (it: Reference): string =>
  `${it.kind.toLowerCase()} ${it.namespace ? `${it.namespace}/` : ''}${it.name}`;

/** `pod/web -n shop`: as kubectl takes it. */
export const asArguments = (it: Reference): string =>
  `${it.kind.toLowerCase()}/${it.name}${it.namespace ? ` -n ${it.namespace}` : ''}`;

export const sameReference = (a: Reference, b: Reference): boolean =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
