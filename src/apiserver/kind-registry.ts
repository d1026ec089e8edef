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

const idOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;

/** The registry of these kinds; `onInstall` and `onUninstall` run before other listeners hear of a change. */
export function kindRegistry(
  kinds: readonly KindDefinition[],
  onInstall: (definitions: readonly KindDefinition[]) => void,
  onUninstall: (group: string, plural: string) => void,
): ServedKinds {
  const byId = new Map<string, KindDefinition>();
  const byGvk = new Map<string, KindDefinition>();
  const listeners = new Set<() => void>();
  let list: readonly KindDefinition[] | undefined;
  let generation = 0;
  const gvkOf = (it: GroupVersionKind): string => `${apiVersionOf(it)}/${it.kind}`;
  const put = (kind: KindDefinition): void => {
    const { group, version, plural } = kind.resource;
    byId.set(idOf(group, version, plural), kind);
    byGvk.set(gvkOf(kind.resource), kind);
  };
  const drop = (group: string, plural: string): void => {
    for (const [id, kind] of byId) {
      if (kind.resource.group !== group || kind.resource.plural !== plural) continue;
      byId.delete(id);
      if (byGvk.get(gvkOf(kind.resource)) === kind) byGvk.delete(gvkOf(kind.resource));
    }
  };
  const changed = (): void => {
    list = undefined;
    generation += 1;
    for (const listener of listeners) listener();
  };
  for (const kind of kinds) put(kind);
  const registry: ServedKinds = {
    find: (group, version, plural) => byId.get(idOf(group, version, plural)),
    byKind: (gvk) => byGvk.get(gvkOf(gvk)),
    list() {
      list ??= Object.freeze([...byId.values()]);
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
      return byId.get(idOf(storage.group ?? resource.group, storage.version, resource.plural)) ?? kind;
    },
    inVersion(apiVersion, plural) {
      const { group, version } = parseApiVersion(apiVersion);
      return byId.get(idOf(group, version, plural));
    },
  };
  return registry;
}
