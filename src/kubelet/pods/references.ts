import type { V1Pod } from '../../api/generated/types.ts';
import type { CachedKind, ObjectCache } from '../object-cache.ts';
import { allContainers } from './observed.ts';

export interface Reference {
  readonly kind: CachedKind;
  readonly name: string;
}

/** The ConfigMaps and Secrets that a pod names anywhere, each once. */
export function podReferences(pod: V1Pod): readonly Reference[] {
  const found = new Map<string, Reference>();
  const add = (kind: CachedKind, name: string | undefined): void => {
    if (name) found.set(`${kind}/${name}`, { kind, name });
  };
  for (const secret of pod.spec?.imagePullSecrets ?? []) add('secret', secret.name);
  for (const container of allContainers(pod)) {
    for (const from of container.envFrom ?? []) {
      add('configmap', from.configMapRef?.name);
      add('secret', from.secretRef?.name);
    }
    for (const env of container.env ?? []) {
      add('configmap', env.valueFrom?.configMapKeyRef?.name);
      add('secret', env.valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of pod.spec?.volumes ?? []) {
    add('configmap', volume.configMap?.name);
    add('secret', volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      add('configmap', source.configMap?.name);
      add('secret', source.secret?.name);
    }
  }
  return [...found.values()];
}

/** Keeps what a pod names current in the cache, through changes of its spec. */
export function keepReferences(
  objects: ObjectCache,
  onChange: () => void,
): { keep(pod: V1Pod): void; release(): void } {
  let kept: V1Pod['spec'] | undefined;
  let releases: (() => void)[] = [];
  return {
    keep(pod) {
      if (kept === pod.spec) return;
      kept = pod.spec;
      const old = releases;
      const namespace = pod.metadata?.namespace ?? '';
      releases = podReferences(pod).map(({ kind, name }) => objects.retain(kind, namespace, name, onChange));
      for (const release of old) release();
    },
    release() {
      for (const release of releases) release();
      releases = [];
      kept = undefined;
    },
  };
}
