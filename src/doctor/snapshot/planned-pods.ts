import type { V1ObjectMeta, V1Pod, V1PodSpec } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import { templatePath, valueAt } from './owners.ts';

/** The pods that workloads in a set of manifests would make: one for each template, owned by its workload. Pods themselves are not repeated. */
export function plannedPods(objects: readonly KubeObject[]): readonly V1Pod[] {
  return objects.flatMap((it) => {
    const path = templatePath(it.kind ?? '');
    if (!path || it.kind === 'Pod') return [];
    const spec = valueAt(it, path) as V1PodSpec | undefined;
    if (!spec?.containers) return [];
    const template = valueAt(it, [...path.slice(0, -1), 'metadata']) as V1ObjectMeta | undefined;
    const { name = '', namespace = 'default', uid = `planned-${it.kind}-${name}` } = it.metadata ?? {};
    return [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `${name}-${(it.kind ?? '').toLowerCase()}`,
          namespace,
          ...(template?.labels && { labels: template.labels }),
          ...(template?.annotations && { annotations: template.annotations }),
          ownerReferences: [{ apiVersion: it.apiVersion ?? '', kind: it.kind ?? '', name, uid, controller: true }],
        },
        spec,
      },
    ];
  });
}
