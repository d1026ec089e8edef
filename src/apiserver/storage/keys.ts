import type { GroupResource, Resource } from '../../api/resource.ts';

/** Where all objects live, as in upstream's etcd. */
export const root = '/registry/';

/** Resources whose storage path is not their plural (pkg/kubeapiserver/default_storage_factory_builder.go). */
const special: Readonly<Record<string, string>> = {
  replicationcontrollers: 'controllers',
  endpoints: 'services/endpoints',
  services: 'services/specs',
  nodes: 'minions',
  'ingresses.networking.k8s.io': 'ingress',
};

/** Groups served by servers of their own upstream, which put the group into the path. */
const grouped = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io']);

/**
 * The prefix of a resource's keys, with a trailing slash: `/registry/pods/`, `/registry/services/specs/`,
 * `/registry/stable.example.com/crontabs/`.
 */
export function resourcePrefix(it: GroupResource, custom: boolean): string {
  if (custom || grouped.has(it.group)) return `${root}${it.group}/${it.resource}/`;
  return `${root}${special[it.group === '' ? it.resource : `${it.resource}.${it.group}`] ?? it.resource}/`;
}

/** The key of one object below its resource's prefix. */
export function objectKey(prefix: string, namespace: string, name: string): string {
  return namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`;
}

/** True for a resource that a CustomResourceDefinition made: built-in ones name their generated schema. */
export function isCustom(resource: Resource): boolean {
  return resource.definition === undefined;
}

/** Splits what follows a resource's prefix into namespace ('' for cluster-scoped) and name. */
export function splitObjectKey(rest: string): { readonly namespace: string; readonly name: string } {
  const slash = rest.indexOf('/');
  return slash < 0 ? { namespace: '', name: rest } : { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) };
}
