import type { SubresourceInfo } from '../../api/resource.ts';
import type { KindDefinition } from '../../kinds/kind.ts';
import type { ServedGroup } from './groups.ts';

const groupVersion = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`);

/** `/api`. */
export const apiVersions = (address: string): object => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
});

/** `/apis/GROUP`, or an item of `/apis`. */
export function apiGroup(group: ServedGroup, standalone: boolean): object {
  const versions = group.versions.map(({ version }) => ({ groupVersion: groupVersion(group.name, version), version }));
  return {
    ...(standalone && { kind: 'APIGroup', apiVersion: 'v1' }),
    name: group.name,
    versions,
    preferredVersion: versions[0],
  };
}

/** `/apis`. */
export const apiGroupList = (groups: readonly ServedGroup[]): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.filter((it) => it.name !== '').map((it) => apiGroup(it, false)),
});

/** `/api/v1` and `/apis/GROUP/VERSION`. */
export function apiResourceList(group: string, version: string, kinds: readonly KindDefinition[]): object {
  const resources = kinds.flatMap(({ resource }) => [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: resource.verbs,
      ...(resource.shortNames && { shortNames: resource.shortNames }),
      ...(resource.categories && { categories: resource.categories }),
    },
    ...(resource.subresources ?? []).map((sub) => ({
      name: `${resource.plural}/${sub.name}`,
      singularName: '',
      namespaced: resource.namespaced,
      ...kindOfSubresource(sub, group, version),
      verbs: sub.verbs,
    })),
  ]);
  resources.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    kind: 'APIResourceList',
    ...(group !== '' && { apiVersion: 'v1' }),
    groupVersion: groupVersion(group, version),
    resources,
  };
}

/** Group and version only where they are not the resource's own. */
function kindOfSubresource(sub: SubresourceInfo, group: string, version: string): object {
  const other = sub.version !== undefined && (sub.version !== version || (sub.group ?? group) !== group);
  return { ...(other && { group: sub.group ?? group, version: sub.version }), kind: sub.kind };
}

/** The aggregated form of everything: `/api` gives the core group, `/apis` the others. */
export function groupDiscoveryList(groups: readonly ServedGroup[], version: string): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { name: group.name === '' ? undefined : group.name, creationTimestamp: null },
      versions: group.versions.map((it) => ({
        version: it.version,
        resources: [...it.kinds]
          .sort((a, b) => (a.resource.plural < b.resource.plural ? -1 : 1))
          .map(resourceDiscovery),
        freshness: 'Current',
      })),
    })),
  };
}

function resourceDiscovery({ resource }: KindDefinition): object {
  const { group, version } = resource;
  return {
    resource: resource.plural,
    responseKind: { group, version, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames && { shortNames: resource.shortNames }),
    ...(resource.categories && { categories: resource.categories }),
    ...(resource.subresources && {
      subresources: resource.subresources.map((sub) => ({
        subresource: sub.name,
        responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
        verbs: sub.verbs,
      })),
    }),
  };
}
