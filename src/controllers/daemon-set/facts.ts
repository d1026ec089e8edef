import { daemonsets } from '../../api/generated/resources.ts';
import type {
  V1Affinity,
  V1DaemonSet,
  V1Node,
  V1Pod,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Toleration,
} from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { matchesRequiredNodeAffinity, untolerated } from '../../kinds/core/node-match.ts';
import { scaledValue } from '../support/int-or-percent.ts';
import { controllerReference } from '../support/owners.ts';
import { podFromTemplate } from '../support/pod-control.ts';

export type DaemonSet = Live<V1DaemonSet>;
export type Pod = Live<V1Pod>;
export type Node = Live<V1Node>;

export const hashLabel = 'controller-revision-hash';
const generationAnnotation = 'deprecated.daemonset.template.generation';
const generationLabel = 'pod-template-generation';

/** What every daemon tolerates, so that it stays where others are driven out (daemon/util.AddOrUpdateDaemonPodTolerations). */
export function daemonTolerations(spec: V1PodSpec | undefined): readonly V1Toleration[] {
  const always = (key: string, effect: string): V1Toleration => ({ key, operator: 'Exists', effect });
  const added = [
    always('node.kubernetes.io/not-ready', 'NoExecute'),
    always('node.kubernetes.io/unreachable', 'NoExecute'),
    always('node.kubernetes.io/disk-pressure', 'NoSchedule'),
    always('node.kubernetes.io/memory-pressure', 'NoSchedule'),
    always('node.kubernetes.io/pid-pressure', 'NoSchedule'),
    always('node.kubernetes.io/unschedulable', 'NoSchedule'),
    ...(spec?.hostNetwork ? [always('node.kubernetes.io/network-unavailable', 'NoSchedule')] : []),
  ];
  const own = (spec?.tolerations ?? []).filter(
    (it) => !added.some((add) => add.key === it.key && add.effect === it.effect && add.operator === it.operator),
  );
  return [...own, ...added];
}

const templateGeneration = (ds: DaemonSet): string | undefined => {
  const text = ds.metadata.annotations?.[generationAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? text : undefined;
};

/** The template of the daemon's pods: its own, with tolerations and the labels that tell its revision. */
export function daemonTemplate(ds: DaemonSet, hash: string): V1PodTemplateSpec {
  const template = ds.spec?.template ?? {};
  const generation = templateGeneration(ds);
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: {
        ...template.metadata?.labels,
        ...(generation && { [generationLabel]: generation }),
        ...(hash && { [hashLabel]: hash }),
      },
    },
    ...(template.spec && { spec: { ...template.spec, tolerations: daemonTolerations(template.spec) } }),
  };
}

/** Bound to one node by its name, whatever the terms were; the default scheduler does the rest. */
export function affinityTo(nodeName: string, affinity: V1Affinity | undefined): V1Affinity {
  const only = { key: 'metadata.name', operator: 'In', values: [nodeName] };
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms ?? [];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms:
          terms.length === 0 ? [{ matchFields: [only] }] : terms.map((term) => ({ ...term, matchFields: [only] })),
      },
    },
  };
}

export function daemonPod(ds: DaemonSet, template: V1PodTemplateSpec, nodeName: string): V1Pod {
  const pod = podFromTemplate(template, ds, controllerReference(daemonsets, ds));
  return { ...pod, ...(pod.spec && { spec: { ...pod.spec, affinity: affinityTo(nodeName, pod.spec.affinity) } }) };
}

/** The node a daemon's pod is on, or is meant for. */
export function nodeOf(pod: V1Pod): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const term of required?.nodeSelectorTerms ?? []) {
    const field = term.matchFields?.find((it) => it.key === 'metadata.name' && it.operator === 'In');
    if (field?.values?.length === 1) return field.values[0] ?? '';
  }
  return '';
}

/** Whether a daemon should be started on the node, and whether one that is there may stay. */
export function shouldRun(ds: DaemonSet, node: V1Node): { readonly start: boolean; readonly stay: boolean } {
  const spec = ds.spec?.template?.spec;
  if (spec?.nodeName && spec.nodeName !== node.metadata?.name) return { start: false, stay: false };
  if (!matchesRequiredNodeAffinity({ ...(spec && { spec }) }, node)) return { start: false, stay: false };
  const tolerations = daemonTolerations(spec);
  if (!untolerated(node.spec?.taints, tolerations, ['NoExecute', 'NoSchedule'])) return { start: true, stay: true };
  return { start: false, stay: !untolerated(node.spec?.taints, tolerations, ['NoExecute']) };
}

/** Made from the present template: by generation where the set still counts them, or by hash. */
export function isUpdated(ds: DaemonSet, pod: V1Pod, hash: string): boolean {
  const generation = templateGeneration(ds);
  const labels = pod.metadata?.labels ?? {};
  return (
    (generation !== undefined && labels[generationLabel] === generation) || (hash !== '' && labels[hashLabel] === hash)
  );
}

export const maxSurgeOf = (ds: DaemonSet, desired: number): number =>
  isRolling(ds)
    ? scaledValue(ds.spec?.updateStrategy?.rollingUpdate?.maxSurge as number | string | undefined, desired, true)
    : 0;
export const maxUnavailableOf = (ds: DaemonSet, desired: number): number =>
  isRolling(ds)
    ? scaledValue(
        (ds.spec?.updateStrategy?.rollingUpdate?.maxUnavailable as number | string | undefined) ?? 1,
        desired,
        true,
      )
    : 0;
export const isRolling = (ds: DaemonSet): boolean =>
  (ds.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
export const minReadyOf = (ds: DaemonSet): number => ds.spec?.minReadySeconds ?? 0;

/** Pods on nodes first, then the older ones. */
export function byAgeAndNode(a: Pod, b: Pod): number {
  const placed = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  if (placed !== 0) return placed;
  const left = a.metadata.creationTimestamp + a.metadata.name;
  const right = b.metadata.creationTimestamp + b.metadata.name;
  return left < right ? -1 : left > right ? 1 : 0;
}
