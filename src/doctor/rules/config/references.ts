import { configmaps } from '../../../api/generated/resources.ts';
import type { V1Volume } from '../../../api/generated/types.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** A place in a pod where it names a ConfigMap or a Secret. */
export interface ConfigReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** The keys that have to be there; empty: any. */
  readonly keys: readonly { readonly name: string; readonly path: readonly (string | number)[] }[];
  readonly optional: boolean;
  readonly via: 'env' | 'envFrom' | 'volume' | 'projected';
  /** Of env and envFrom. */
  readonly container?: string;
  /** Of volumes. */
  readonly volume?: string;
  /** Where the name stands: below the container for env, below the pod spec for volumes. */
  readonly path: readonly (string | number)[];
}

/** All ConfigMaps and Secrets that a pod names. Pure. */
export function configReferences(pod: PodFacts): readonly ConfigReference[] {
  const found: ConfigReference[] = [];
  for (const { name: container, spec } of pod.containers) {
    spec.env?.forEach((env, i) => {
      for (const [field, kind] of [
        ['configMapKeyRef', 'ConfigMap'],
        ['secretKeyRef', 'Secret'],
      ] as const) {
        const ref = env.valueFrom?.[field];
        const path = ['env', i, 'valueFrom', field];
        if (ref?.name)
          found.push({
            kind,
            name: ref.name,
            keys: [{ name: ref.key, path: [...path, 'key'] }],
            optional: ref.optional === true,
            via: 'env',
            container,
            path: [...path, 'name'],
          });
      }
    });
    spec.envFrom?.forEach((from, i) => {
      for (const [field, kind] of [
        ['configMapRef', 'ConfigMap'],
        ['secretRef', 'Secret'],
      ] as const) {
        const ref = from[field];
        if (ref?.name)
          found.push({
            kind,
            name: ref.name,
            keys: [],
            optional: ref.optional === true,
            via: 'envFrom',
            container,
            path: ['envFrom', i, field, 'name'],
          });
      }
    });
  }
  pod.spec.volumes?.forEach((volume, i) => {
    found.push(...volumeReferences(volume, i));
  });
  return found;
}

function volumeReferences(volume: V1Volume, index: number): readonly ConfigReference[] {
  const found: ConfigReference[] = [];
  const at = ['volumes', index];
  const { configMap, secret, projected } = volume;
  const itemsOf = (
    items: readonly { readonly key: string }[] | undefined,
    path: readonly (string | number)[],
  ): ConfigReference['keys'] => (items ?? []).map((it, i) => ({ name: it.key, path: [...path, 'items', i, 'key'] }));
  const add = (
    kind: ConfigReference['kind'],
    name: string | undefined,
    source: { readonly items?: readonly { readonly key: string }[]; readonly optional?: boolean },
    path: readonly (string | number)[],
    nameField: string,
    via: ConfigReference['via'],
  ): void => {
    if (!name) return;
    found.push({
      kind,
      name,
      keys: itemsOf(source.items, path),
      optional: source.optional === true,
      via,
      volume: volume.name,
      path: [...path, nameField],
    });
  };
  if (configMap) add('ConfigMap', configMap.name, configMap, [...at, 'configMap'], 'name', 'volume');
  if (secret) add('Secret', secret.secretName, secret, [...at, 'secret'], 'secretName', 'volume');
  projected?.sources?.forEach((it, i) => {
    const path = [...at, 'projected', 'sources', i];
    if (it.configMap) add('ConfigMap', it.configMap.name, it.configMap, [...path, 'configMap'], 'name', 'projected');
    if (it.secret) add('Secret', it.secret.name, it.secret, [...path, 'secret'], 'name', 'projected');
  });
  return found;
}

/** The keys of the named object; undefined where it is not there or could not be seen. */
export function keysOf(snapshot: Snapshot, namespace: string, it: ConfigReference): readonly string[] | undefined {
  if (it.kind === 'Secret')
    return snapshot
      .secret(namespace, it.name)
      ?.keys.map((key) => key.name)
      .sort();
  const map = snapshot.get(configmaps, it.name, namespace);
  return map && [...Object.keys(map.data ?? {}), ...Object.keys(map.binaryData ?? {})].sort();
}

/** The names of all ConfigMaps or Secrets of a namespace. */
export const namesOf = (snapshot: Snapshot, namespace: string, kind: ConfigReference['kind']): readonly string[] =>
  kind === 'Secret'
    ? snapshot
        .secrets(namespace)
        .map((it) => it.metadata.name ?? '')
        .sort()
    : snapshot
        .in(configmaps, namespace)
        .map((it) => it.metadata?.name ?? '')
        .sort();

/** The other namespaces in which an object of this kind and name exists. */
export function elsewhere(snapshot: Snapshot, namespace: string, it: ConfigReference): readonly string[] {
  const all =
    it.kind === 'Secret'
      ? snapshot.everySecret.filter((s) => s.metadata.name === it.name).map((s) => s.metadata.namespace ?? '')
      : snapshot
          .all(configmaps)
          .filter((m) => m.metadata?.name === it.name)
          .map((m) => m.metadata?.namespace ?? '');
  return all.filter((other) => other !== namespace).sort();
}
