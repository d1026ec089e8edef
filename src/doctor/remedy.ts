import type { V1PodSpec } from '../api/generated/types.ts';
import type { JsonPatchOperation } from '../api/json-patch.ts';
import type { Action, Field } from './finding.ts';
import { asArguments, type Reference } from './reference.ts';
import { templatePath, valueAt } from './snapshot/owners.ts';
import type { ContainerFacts, PodFacts } from './snapshot/pod-facts.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** A change below a pod spec. `value` undefined: remove. */
export interface Edit {
  /** Below the pod spec, or below the container where one is named. */
  readonly path: readonly (string | number)[];
  readonly value?: unknown;
  /** What has to stand there now; when something else does, nothing is changed. */
  readonly was?: unknown;
}

/** Fields of a bare pod that may be changed in place; all else means making it anew. */
const changeable = (path: readonly (string | number)[]): boolean =>
  path.at(-1) === 'image' || path[0] === 'tolerations' || path[0] === 'activeDeadlineSeconds';

/**
 * Changes the pod spec where it is written: in the template of the outermost workload, else in the pod itself. Undefined where that
 * workload could not be seen, holds no template that is known, or has no such container.
 */
export function editPodSpec(
  snapshot: Snapshot,
  pod: PodFacts,
  edits: readonly Edit[],
  container?: string,
): Action | undefined {
  const target = pod.workload;
  const path = templatePath(target.kind);
  const object = target.kind === 'Pod' ? pod.pod : snapshot.find(target);
  if (!path || !object) return undefined;
  const spec = valueAt(object, path) as V1PodSpec | undefined;
  if (!spec) return undefined;
  const below = container === undefined ? [] : containerPath(spec, container);
  if (!below) return undefined;
  const asExpected = edits.every(
    (it) => it.was === undefined || valueAt(object, [...path, ...below, ...it.path]) === it.was,
  );
  if (!asExpected) return undefined;
  const operations = edits.map((it) => operation(object, [...path, ...below, ...it.path], it.value));
  const replace =
    target.kind === 'Job' || (target.kind === 'Pod' && !edits.every((it) => changeable([...below, ...it.path])));
  return { kind: 'patch', target, operations, ...(replace && { replace }) };
}

function containerPath(spec: V1PodSpec, name: string): readonly (string | number)[] | undefined {
  for (const list of ['containers', 'initContainers'] as const) {
    const index = spec[list]?.findIndex((it) => it.name === name) ?? -1;
    if (index >= 0) return [list, index];
  }
  return undefined;
}

/** Changes any object: `value` undefined removes. Parents that are missing are made. */
export function edit(target: Reference, object: unknown, edits: readonly Edit[]): Action {
  return { kind: 'patch', target, operations: edits.map((it) => operation(object, it.path, it.value)) };
}

const pointer = (path: readonly (string | number)[]): string =>
  path.map((it) => `/${String(it).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** One JSON patch operation that sets (or removes) the value at a path, creating the missing parents in the same step. */
function operation(object: unknown, path: readonly (string | number)[], value: unknown): JsonPatchOperation {
  if (value === undefined) return { op: 'remove', path: pointer(path) };
  let depth = 0;
  while (depth < path.length && valueAt(object, path.slice(0, depth + 1)) !== undefined) depth++;
  if (depth === path.length) return { op: 'replace', path: pointer(path), value };
  let nested = value;
  for (let i = path.length - 1; i > depth; i--) {
    const key = path[i] ?? '';
    nested = typeof key === 'number' || key === '-' ? [nested] : { [key]: nested };
  }
  return { op: 'add', path: pointer(path.slice(0, depth + 1)), value: nested };
}

/** The same change as a kubectl command; for what the API refuses to patch, the way around. */
export function commandOf(action: Action): string {
  switch (action.kind) {
    case 'patch': {
      const patch = JSON.stringify(action.operations).replaceAll("'", "'\\''");
      if (action.replace)
        return `kubectl get ${asArguments(action.target)} -o yaml > ${action.target.name}.yaml   # change it, then: kubectl replace --force -f ${action.target.name}.yaml`;
      return `kubectl patch ${asArguments(action.target)} --type=json -p '${patch}'`;
    }
    case 'create':
      return `kubectl create -f -   # with the object shown`;
    case 'delete':
      return `kubectl delete ${asArguments(action.target)}`;
  }
}

/** The field of the pod spec, in the user's own object. */
export function fieldOf(pod: PodFacts, path: string): Field {
  const prefix = templatePath(pod.workload.kind);
  return prefix
    ? { object: pod.workload, path: `${prefix.join('.')}.${path}` }
    : { object: pod.ref, path: `spec.${path}` };
}

/** A field of one of its containers. */
export const containerField = (pod: PodFacts, container: ContainerFacts, path: string): Field =>
  fieldOf(pod, `${container.path}.${path}`);

/** Shows when the workload is healthy again. */
export function watchCommand(pod: PodFacts): string {
  const { kind, name, namespace } = pod.workload;
  const flag = namespace ? ` -n ${namespace}` : '';
  if (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet')
    return `kubectl rollout status ${kind.toLowerCase()}/${name}${flag}`;
  return `coracle why ${kind.toLowerCase()}/${name}${flag}`;
}
