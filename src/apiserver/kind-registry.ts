import { apiVersionOf, type GroupVersionKind, parseApiVersion } from '../api/resource.ts';
import type { KindDefinition } from '../kinds/kind.ts';
import type { KindRegistry } from './contracts.ts';

/** The registry with what the server itself needs besides. */
export interface ServedKinds extends KindRegistry {
  /** The version in which a kind is stored; the definition itself where it has no other. */
  storageKind(kind: KindDefinition): KindDefinition;
  /** Another version of a resource: `apps/v1`. */
  inVersion(apiVersion: string, plural: string): KindDefinition | undefined;
}

const none: readonly KindDefinition[] = [];

/** The registry of these kinds; `onInstall` and `onUninstall` run before other listeners hear of a change. */
export function kindRegistry(
  kinds: readonly KindDefinition[],
  onInstall: (definitions: readonly KindDefinition[]) => void,
  onUninstall: (group: string, plural: string) => void,
): ServedKinds {
  /** By plural, then every version of every group that has it: looked up for each request, so no key is put together. */
  const byPlural = new Map<string, readonly KindDefinition[]>();
  const find = (group: string, version: string, plural: string): KindDefinition | undefined => {
    for (const kind of byPlural.get(plural) ?? none) {
      if (kind.resource.version === version && kind.resource.group === group) return kind;
    }
    return undefined;
  };
  /** In order of arrival. */
  const all = new Set<KindDefinition>();
  const byGvk = new Map<string, KindDefinition>();
  const listeners = new Set<() => void>();
  let list: readonly KindDefinition[] | undefined;
  let generation = 0;
  const gvkOf = (it: GroupVersionKind): string => `${apiVersionOf(it)}/${it.kind}`;
  const put = (kind: KindDefinition): void => {
    const { group, version, plural } = kind.resource;
    const before = find(group, version, plural);
    if (before) all.delete(before);
    all.add(kind);
    const others = (byPlural.get(plural) ?? none).filter(
      (it) => it.resource.version !== version || it.resource.group !== group,
    );
    byPlural.set(plural, [...others, kind]);
    byGvk.set(gvkOf(kind.resource), kind);
  };
  const drop = (group: string, plural: string): void => {
    const kinds = byPlural.get(plural) ?? none;
    for (const kind of kinds) {
      if (kind.resource.group !== group) continue;
      all.delete(kind);
      if (byGvk.get(gvkOf(kind.resource)) === kind) byGvk.delete(gvkOf(kind.resource));
    }
    byPlural.set(
      plural,
      kinds.filter((it) => it.resource.group !== group),
    );
  };
  const changed = (): void => {
    list = undefined;
    generation += 1;
    for (const listener of listeners) listener();
  };
  for (const kind of kinds) put(kind);
  const registry: ServedKinds = {
    find,
    byKind: (gvk) => byGvk.get(gvkOf(gvk)),
    list() {
      list ??= Object.freeze([...all]);
      return list;
    },
    install(definitions) {
      for (const { resource } of definitions) drop(resource.group, resource.plural);
      for (const kind of definitions) put(kind);
      onInstall(definitions);
      changed();
    },
    uninstall(group, plural) {
      drop(group, plural);
      onUninstall(group, plural);
      changed();
    },
    get generation() {
      return generation;
    },
    onChange(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    storageKind(kind) {
      const { storage, resource } = kind;
      if (!storage) return kind;
      return find(storage.group ?? resource.group, storage.version, resource.plural) ?? kind;
    },
    inVersion(apiVersion, plural) {
      const { group, version } = parseApiVersion(apiVersion);
      return find(group, version, plural);
    },
  };
  return registry;
}
