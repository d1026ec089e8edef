import type { V1LabelSelector, V1Pod, V1PodAffinityTerm } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import { asLoose, type Loose, metaOf } from '../draft.ts';
import type { Draft, SubresourceStrategy } from '../kind.ts';
import { validateObjectMetaUpdate } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { podQosClass } from './pod-resources.ts';
import { validateEphemeralUpdate, validateResize } from './pod-update-validation.ts';

type Pod = Loose<V1Pod>;

/** Labels that a term names by key alone become part of its selector, with the pod's own values. */
function mergeKeys(
  selector: Loose<V1LabelSelector> | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string | undefined>>,
): void {
  if (!selector || !keys) return;
  for (const key of keys) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}

/** A new pod: pending, with its quality of service, gated where it has gates (podStrategy.PrepareForCreate). */
export function preparePod(pod: Pod): void {
  pod.status = { phase: 'Pending', qosClass: podQosClass(pod) };
  const spec = pod.spec ?? {};
  if ((spec.schedulingGates?.length ?? 0) > 0) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  const labels = pod.metadata?.labels ?? {};
  const term = (it: Loose<V1PodAffinityTerm> | undefined): void => {
    mergeKeys(it?.labelSelector, it?.matchLabelKeys, 'In', labels);
    mergeKeys(it?.labelSelector, it?.mismatchLabelKeys, 'NotIn', labels);
  };
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach((it) => {
      term(it.podAffinityTerm);
    });
    affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach(term);
  }
  for (const it of spec.topologySpreadConstraints ?? []) mergeKeys(it.labelSelector, it.matchLabelKeys, 'In', labels);
}

/** Status writes keep spec, owners, and what they leave out of the class and the observed generations. */
export function preparePodStatus(next: Pod, old: Pod): void {
  const meta = next.metadata ?? {};
  if (old.metadata?.ownerReferences) meta.ownerReferences = old.metadata.ownerReferences;
  else delete meta.ownerReferences;
  next.status ??= {};
  const { status } = next;
  const before = old.status ?? {};
  if (!status.qosClass && before.qosClass) status.qosClass = before.qosClass;
  if (!status.observedGeneration && before.observedGeneration) status.observedGeneration = before.observedGeneration;
  for (const condition of status.conditions ?? []) {
    if (condition.observedGeneration) continue;
    const known = before.conditions?.find((it) => it.type === condition.type)?.observedGeneration;
    if (known) condition.observedGeneration = known;
  }
}

const metaFields = ['deletionTimestamp', 'generation', 'labels', 'annotations', 'finalizers', 'ownerReferences'];

/** Keeps everything but what `take` puts into the spec, and counts the generation. */
function keepAllBut(next: Draft, old: KubeObject, take: (spec: Draft, sent: Draft) => void): void {
  const from = old as Draft;
  const sent = (next['spec'] ?? {}) as Draft;
  const spec: Draft = { ...(from['spec'] as Draft | undefined) };
  take(spec, sent);
  next['spec'] = spec;
  next['status'] = from['status'];
  const meta = metaOf(next) as Draft;
  const oldMeta = (old.metadata ?? {}) as Draft;
  for (const field of metaFields) {
    if (oldMeta[field] === undefined) delete meta[field];
    else meta[field] = oldMeta[field];
  }
  const generation = old.metadata?.generation ?? 0;
  meta['generation'] = semanticEqual(spec, from['spec']) ? generation : generation + 1;
}

/** `pods/ephemeralcontainers`: only the list of ephemeral containers changes. */
export const ephemeralContainers: SubresourceStrategy = {
  prepareForUpdate(next, old) {
    keepAllBut(next, old, (spec, sent) => {
      const list = sent['ephemeralContainers'];
      if (list === undefined) delete spec['ephemeralContainers'];
      else spec['ephemeralContainers'] = list;
    });
  },
  validateUpdate: (next, old) => [
    ...validateObjectMetaUpdate(next.metadata, old.metadata),
    ...validateEphemeralUpdate(asLoose<V1Pod>(next), asLoose<V1Pod>(old)),
  ],
};

/** The old containers with the new resources; the new ones where they are not the same containers. */
function withResources(sent: unknown, old: unknown): unknown {
  if (!Array.isArray(sent) || !Array.isArray(old)) return old;
  if (sent.length !== old.length || sent.some((it, i) => it?.name !== old[i]?.name)) return sent;
  return old.map((container: Draft, i) => {
    const { resources: _resources, resizePolicy: _policy, ...rest } = container;
    const { resources, resizePolicy } = sent[i] as Draft;
    return {
      ...rest,
      ...(resources !== undefined && { resources }),
      ...(resizePolicy !== undefined && { resizePolicy }),
    };
  });
}

/** `pods/resize`: only resources and resize policies change. */
export const resize: SubresourceStrategy = {
  prepareForUpdate(next, old) {
    keepAllBut(next, old, (spec, sent) => {
      for (const list of ['containers', 'initContainers']) {
        const merged = withResources(sent[list], spec[list]);
        if (merged !== undefined) spec[list] = merged;
      }
      if (sent['resources'] !== undefined) spec['resources'] = sent['resources'];
    });
  },
  validateUpdate: (next, old) => [
    ...validateObjectMetaUpdate(next.metadata, old.metadata),
    ...validateResize(asLoose<V1Pod>(next), asLoose<V1Pod>(old)),
  ],
};

/** Seconds between the signal to end and the kill (podStrategy.CheckGracefulDelete). */
export function podGracePeriod(pod: Pod, requested: number | undefined): number {
  if (!pod.spec?.nodeName) return 0;
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return 0;
  const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}
