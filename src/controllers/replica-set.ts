import { pods, replicasets, replicationcontrollers } from '../api/generated/resources.ts';
import type {
  V1LabelSelector,
  V1Pod,
  V1PodTemplateSpec,
  V1ReplicaSet,
  V1ReplicaSetStatus,
  V1ReplicationController,
} from '../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../api/label-selector.ts';
import type { KubeObject, Live, Resource } from '../api/resource.ts';
import { rfc3339 } from '../base/clock.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../controller/controller.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { conditionOf, withCondition, withoutCondition } from './support/conditions.ts';
import { claim, controllerKey, controllerOf } from './support/owners.ts';
import { allOrFirstError, createPod, deletePod, isNamespaceTerminating, slowStart } from './support/pod-control.ts';
import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  nextAvailability,
  podsToDelete,
} from './support/pods.ts';
import { writeStatus } from './support/status.ts';

/** What ReplicaSets and ReplicationControllers have in common; the selector of the latter is a plain map. */
interface Replicated {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: V1LabelSelector | undefined;
  readonly template: V1PodTemplateSpec;
}

/** Pods created or deleted in one reconcile at most. */
const burst = 500;

/** How many pods to make (positive) or delete (negative). */
export function replicaDifference(wanted: number, active: number): number {
  return Math.max(-burst, Math.min(burst, wanted - active));
}

/** The status that the pods call for (replicaset.calculateStatus). `failure` is why pods could not be made or deleted. */
export function replicaSetStatus(it: {
  readonly old: V1ReplicaSetStatus | undefined;
  readonly spec: Replicated;
  readonly generation: number;
  readonly active: readonly Live<V1Pod>[];
  readonly terminating: readonly Live<V1Pod>[];
  readonly failure: string | undefined;
  readonly now: number;
}): V1ReplicaSetStatus {
  const { spec, active, now } = it;
  const templateLabels = requirementsOf({ matchLabels: spec.template.metadata?.labels ?? {} });
  let fullyLabeled = 0;
  let ready = 0;
  let available = 0;
  for (const pod of active) {
    if (matchesLabels(templateLabels, pod.metadata.labels)) fullyLabeled++;
    if (!isPodReady(pod)) continue;
    ready++;
    if (isPodAvailable(pod, spec.minReadySeconds, now)) available++;
  }
  let conditions = it.old?.conditions ?? [];
  if (it.failure !== undefined && !conditionOf(conditions, 'ReplicaFailure')) {
    conditions = withCondition(conditions, {
      type: 'ReplicaFailure',
      status: 'True',
      reason: active.length < spec.replicas ? 'FailedCreate' : 'FailedDelete',
      message: it.failure,
      lastTransitionTime: rfc3339(now),
    });
  } else if (it.failure === undefined) conditions = withoutCondition(conditions, 'ReplicaFailure');
  return {
    replicas: active.length,
    ...(fullyLabeled > 0 && { fullyLabeledReplicas: fullyLabeled }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    terminatingReplicas: it.terminating.length,
    observedGeneration: it.generation,
    ...(conditions.length > 0 && { conditions }),
  };
}

interface Flavour<T extends KubeObject> {
  readonly name: string;
  readonly resource: Resource<T>;
  readonly specOf: (object: T) => Replicated;
}

function replicated<T extends KubeObject & { readonly status?: V1ReplicaSetStatus }>(flavour: Flavour<T>): Controller {
  const { resource } = flavour;
  return {
    name: flavour.name,
    watches: [
      watched({ resource, keys: (object) => [keyOf(object)] }),
      watched({
        resource: pods,
        keys(pod, { old }, context) {
          const keys = [...controllerKey(pod, resource), ...(old ? controllerKey(old, resource) : [])];
          if (controllerOf(pod) || pod.metadata.deletionTimestamp) return keys;
          // An orphan may be adopted by whoever selects it.
          const rivals = context.informers.informer(resource).byIndex('namespace', pod.metadata.namespace ?? '');
          for (const rival of rivals) {
            const selects = requirementsOf(flavour.specOf(rival).selector);
            if (matchesLabels(selects, pod.metadata.labels)) keys.push(keyOf(rival));
          }
          return keys;
        },
      }),
    ],
    access: [
      rule(resource.group, resource.plural, `${read} update`),
      rule(resource.group, `${resource.plural}/status ${resource.plural}/finalizers`, 'update patch'),
      rule('', 'pods', `${read} create delete patch`),
      ...mayRecord,
    ],
    reconcile: (key, context) => reconcile(flavour, key, context),
  };
}

async function reconcile<T extends KubeObject & { readonly status?: V1ReplicaSetStatus }>(
  flavour: Flavour<T>,
  key: string,
  context: ControllerContext,
): Promise<Outcome> {
  const { resource } = flavour;
  const object = context.informers.informer(resource).get(key);
  if (!object) return undefined;
  const spec = flavour.specOf(object);
  const informer = context.informers.informer(pods);
  const selects = requirementsOf(spec.selector);
  const owned = informer.byIndex('owner', object.metadata.uid);
  const terminating = owned.filter((pod) => isPodTerminating(pod) && matchesLabels(selects, pod.metadata.labels));
  const active = await claim({
    client: context.client,
    owner: object,
    ownerResource: resource,
    resource: pods,
    informer,
    selector: spec.selector,
    include: isPodActive,
  });
  let failure: unknown;
  if (!object.metadata.deletionTimestamp) failure = await adjust(context, flavour, object, spec, active);
  const now = context.clock.now();
  const status = replicaSetStatus({
    old: object.status,
    spec,
    generation: object.metadata.generation ?? 0,
    active,
    terminating,
    failure: failure === undefined ? undefined : failure instanceof Error ? failure.message : String(failure),
    now,
  });
  await writeStatus(context, resource, object, flavour.resource.kind === 'ReplicaSet' ? status : without(status));
  if (failure !== undefined) throw failure;
  if (spec.minReadySeconds > 0 && (status.readyReplicas ?? 0) !== (status.availableReplicas ?? 0)) {
    return { again: nextAvailability(active, spec.minReadySeconds, now) ?? spec.minReadySeconds * 1000 };
  }
  return undefined;
}

/** ReplicationControllers have no such field. */
function without(status: V1ReplicaSetStatus): V1ReplicaSetStatus {
  const { terminatingReplicas: _, ...rest } = status;
  return rest;
}

async function adjust<T extends KubeObject>(
  context: ControllerContext,
  flavour: Flavour<T>,
  object: Live<T>,
  spec: Replicated,
  active: readonly Live<V1Pod>[],
): Promise<unknown> {
  const difference = replicaDifference(spec.replicas, active.length);
  if (difference > 0) {
    const { error } = await slowStart(difference, () => createPod(context, object, flavour.resource, spec.template));
    return isNamespaceTerminating(error) ? undefined : error;
  }
  if (difference === 0) return undefined;
  const rank = nodeRank(context, flavour, object, spec);
  const victims = podsToDelete(active, -difference, rank, context.clock.now());
  try {
    await allOrFirstError(victims.map((pod) => deletePod(context, object, pod)));
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Pods of the same grandparent (a Deployment's ReplicaSets) on a node, counted only when it comes to deleting. */
function nodeRank<T extends KubeObject>(
  context: ControllerContext,
  flavour: Flavour<T>,
  object: Live<T>,
  spec: Replicated,
): (pod: Live<V1Pod>) => number {
  const owner = controllerOf(object);
  const family = owner ? context.informers.informer(flavour.resource).byIndex('owner', owner.uid) : [object];
  const counts = new Map<string, number>();
  if (family.length > 0 && spec.replicas >= 0) {
    for (const member of family) {
      for (const pod of context.informers.informer(pods).byIndex('owner', member.metadata.uid)) {
        const node = pod.spec?.nodeName;
        if (node && isPodActive(pod)) counts.set(node, (counts.get(node) ?? 0) + 1);
      }
    }
  }
  return (pod) => counts.get(pod.spec?.nodeName ?? '') ?? 0;
}

/** Keeps as many pods as a ReplicaSet wants. Upstream: pkg/controller/replicaset. */
export const replicaSetController: Controller = replicated<V1ReplicaSet>({
  name: 'replicaset-controller',
  resource: replicasets,
  specOf: ({ spec }) => ({
    replicas: spec?.replicas ?? 1,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    selector: spec?.selector,
    template: spec?.template ?? {},
  }),
});

/** The same for ReplicationControllers. Upstream: pkg/controller/replication. */
export const replicationController: Controller = replicated<V1ReplicationController>({
  name: 'replication-controller',
  resource: replicationcontrollers,
  specOf: ({ spec }) => ({
    replicas: spec?.replicas ?? 1,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    selector: { matchLabels: spec?.selector ?? {} },
    template: spec?.template ?? {},
  }),
});
