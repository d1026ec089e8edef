import type { Resource } from '../../api/resource.ts';
import type { HttpsClient } from '../../client/https-client.ts';
import { KubectlError } from './errors.ts';

/** What the server serves, found by any of the names that people use. */
export interface Mapper {
  /** `po`, `pod`, `pods`, `deployments.apps`, `deploy.v1.apps`. Throws kubectl's complaint for an unknown one. */
  byName(name: string): Resource;
  byKind(apiVersion: string, kind: string): Resource | undefined;
  /** The resources of a category such as `all`; empty for none. */
  category(name: string): readonly Resource[];
  readonly all: readonly Resource[];
}

interface Discovered {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: string;
        readonly singularResource: string;
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
        readonly subresources?: readonly {
          readonly subresource: string;
          readonly responseKind?: { readonly kind: string };
          readonly verbs: readonly string[];
        }[];
      }[];
    }[];
  }[];
}

interface LegacyResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly singularName: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

function fromAggregated(list: Discovered): readonly Resource[] {
  return list.items.flatMap((group) =>
    group.versions.flatMap((version) =>
      (version.resources ?? []).map((it) => ({
        group: group.metadata.name ?? '',
        version: version.version,
        plural: it.resource,
        singular: it.singularResource || (it.responseKind?.kind ?? it.resource).toLowerCase(),
        kind: it.responseKind?.kind ?? '',
        namespaced: it.scope === 'Namespaced',
        verbs: it.verbs,
        ...(it.shortNames && { shortNames: it.shortNames }),
        ...(it.categories && { categories: it.categories }),
        subresources: (it.subresources ?? []).map((sub) => ({
          name: sub.subresource,
          kind: sub.responseKind?.kind ?? '',
          verbs: sub.verbs,
        })),
      })),
    ),
  );
}

/** Servers without aggregated discovery: one request a group and version. */
async function legacy(client: HttpsClient): Promise<readonly Resource[]> {
  const groups = (await client.json({ path: '/apis' })) as {
    groups: readonly { name: string; versions: readonly { version: string }[] }[];
  };
  const places = [
    { group: '', version: 'v1', path: '/api/v1' },
    ...groups.groups.flatMap(({ name, versions }) =>
      versions.map(({ version }) => ({ group: name, version, path: `/apis/${name}/${version}` })),
    ),
  ];
  const lists = await Promise.all(
    places.map(async (place) => ({ place, list: (await client.json({ path: place.path })) as LegacyResourceList })),
  );
  return lists.flatMap(({ place, list }) =>
    list.resources
      .filter((it) => !it.name.includes('/'))
      .map((it) => ({
        group: place.group,
        version: place.version,
        plural: it.name,
        singular: it.singularName || it.kind.toLowerCase(),
        kind: it.kind,
        namespaced: it.namespaced,
        verbs: it.verbs,
        ...(it.shortNames && { shortNames: it.shortNames }),
        ...(it.categories && { categories: it.categories }),
      })),
  );
}

/** Finds resources by name among these, the first version of a group winning. Pure. */
export function mapperOf(all: readonly Resource[]): Mapper {
  const matches = (it: Resource, name: string): boolean =>
    it.plural === name ||
    it.singular === name ||
    it.kind.toLowerCase() === name ||
    (it.shortNames ?? []).includes(name);
  return {
    all,
    byName(text) {
      const name = text.toLowerCase();
      const [first = '', ...rest] = name.split('.');
      const suffix = rest.join('.');
      const found =
        all.find((it) => matches(it, name)) ??
        all.find(
          (it) =>
            rest.length > 0 && matches(it, first) && (it.group === suffix || `${it.version}.${it.group}` === suffix),
        );
      if (!found) throw new KubectlError(`the server doesn't have a resource type "${text}"`);
      return found;
    },
    byKind: (apiVersion, kind) =>
      all.find((it) => it.kind === kind && (it.group ? `${it.group}/${it.version}` : it.version) === apiVersion),
    category: (name) =>
      all.filter(
        (it, i) =>
          it.categories?.includes(name) &&
          // Only the first, preferred version of each.
          all.findIndex((other) => other.group === it.group && other.plural === it.plural) === i,
      ),
  };
}

/** Asks the server what it serves. */
export async function discover(client: HttpsClient): Promise<Mapper> {
  const ask = async (path: string): Promise<Discovered> =>
    (await client.json({ path, headers: { accept: aggregated } })) as Discovered;
  const [core, groups] = await Promise.all([ask('/api'), ask('/apis')]);
  if (!core.items || !groups.items) return mapperOf(await legacy(client));
  return mapperOf([...fromAggregated(core), ...fromAggregated(groups)]);
}
