import type { KubeObject } from '../../api/resource.ts';
import { type Reference, referenceOf } from '../reference.ts';

/** Owner chains are two or three long; longer ones are loops or not ours to follow. */
const longestChain = 6;

/** Finds the outermost controller of an object: Deployment for a pod of a ReplicaSet, CronJob for one of a Job. */
export function workloadFinder(
  find: (reference: Reference) => KubeObject | undefined,
): (object: KubeObject) => Reference {
  return (object) => {
    let at: KubeObject = object;
    let reference: Reference = { ...referenceOf(object), kind: object.kind ?? 'Pod' };
    for (let i = 0; i < longestChain; i++) {
      const owner = at.metadata?.ownerReferences?.find((it) => it.controller) ?? at.metadata?.ownerReferences?.[0];
      // A static pod's owner is its node, which is no workload.
      if (!owner || owner.kind === 'Node') return reference;
      const { namespace } = reference;
      reference = { kind: owner.kind, ...(namespace && { namespace }), name: owner.name };
      const next = find(reference);
      if (!next) return reference;
      at = next;
    }
    return reference;
  };
}

/** Where a workload's pod spec stands, as property names; undefined for kinds that hold none that is known. */
export function templatePath(kind: string): readonly string[] | undefined {
  switch (kind) {
    case 'Pod':
      return ['spec'];
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicationController':
    case 'Job':
      return ['spec', 'template', 'spec'];
    case 'CronJob':
      return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
    default:
      return undefined;
  }
}

/** The value at a path of property names; undefined where any is missing. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}
