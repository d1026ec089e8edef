import {
  deployments,
  poddisruptionbudgets,
  pods,
  replicasets,
  replicationcontrollers,
  statefulsets,
} from '../api/generated/resources.ts';
import type { V1Pod, V1PodDisruptionBudget, V1PodDisruptionBudgetStatus } from '../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../api/label-selector.ts';
import { type KubeObject, type Live, parseApiVersion, type Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import { rfc3339 } from '../base/clock.ts';
import { keyOf } from '../client/informer.ts';
import { type Controller, type ControllerContext, watched } from '../controller/controller.ts';
import { formatSelector } from '../kinds/labels.ts';
import { mayRecord, read, rule } from './support/access.ts';
import { setInPlace } from './support/conditions.ts';
import { scaledValue } from './support/int-or-percent.ts';
import { controllerOf } from './support/owners.ts';
import { isPodReady } from './support/pods.ts';
import { writeStatus } from './support/status.ts';

type Budget = Live<V1PodDisruptionBudget>;
type Pod = Live<V1Pod>;

/** An evicted pod that is still there after this long was not evicted after all, milliseconds. */
const deletionTimeout = 2 * 60_000;

const selects = (budget: Budget, pod: KubeObject): boolean =>
  matchesLabels(requirementsOf(budget.spec?.selector), pod.metadata?.labels);

export interface Expectation {
  readonly expected: number;
  readonly desired: number;
}

/** How many pods there should be, and how many must stay healthy. `scale` is the sum of what their controllers want. Pure. */
export function expectation(budget: V1PodDisruptionBudget, count: number, scale: () => number): Expectation {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const expected = scale();
    return {
      expected,
      desired: Math.max(0, expected - scaledValue(maxUnavailable as number | string, expected, true)),
    };
  }
  if (typeof minAvailable === 'number') return { expected: count, desired: minAvailable };
  if (minAvailable === undefined) return { expected: 0, desired: 0 };
  const expected = scale();
  return { expected, desired: scaledValue(minAvailable as string, expected, true) };
}

/** The budget's status and its condition. Pure. */
export function budgetStatus(
  budget: Budget,
  owned: readonly Pod[],
  expect: Expectation,
  disrupted: Readonly<Record<string, string>>,
  now: number,
): V1PodDisruptionBudgetStatus {
  const healthy = owned.filter((pod) => {
    const at = disrupted[pod.metadata.name];
    const leaving = at !== undefined && Date.parse(at) + deletionTimeout > now;
    return !pod.metadata.deletionTimestamp && !leaving && isPodReady(pod);
  }).length;
  const allowed = expect.expected <= 0 ? 0 : Math.max(0, healthy - expect.desired);
  const generation = budget.metadata.generation ?? 0;
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed > 0 ? 'True' : 'False',
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: generation,
    lastTransitionTime: rfc3339(now),
  };
  return {
    currentHealthy: healthy,
    desiredHealthy: expect.desired,
    expectedPods: expect.expected,
    disruptionsAllowed: allowed,
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    observedGeneration: generation,
    conditions: setInPlace(budget.status?.conditions, condition) as NonNullable<
      V1PodDisruptionBudgetStatus['conditions']
    >,
  };
}

/** Counts how many pods of a budget may be evicted. Upstream: pkg/controller/disruption. */
export function disruptionController(served: () => readonly Resource[]): Controller {
  return {
    name: 'disruption-controller',
    eventSource: 'controllermanager',
    watches: [
      watched({ resource: poddisruptionbudgets, keys: (budget) => [keyOf(budget)] }),
      watched({
        resource: pods,
        keys: (pod, { old }, context) =>
          context.informers
            .informer(poddisruptionbudgets)
            .byIndex('namespace', pod.metadata.namespace ?? '')
            .filter((budget) => selects(budget, pod) || (old && selects(budget, old)))
            .map(keyOf),
      }),
      ...[deployments, replicasets, statefulsets, replicationcontrollers].map((resource) =>
        watched({
          resource: resource as Resource,
          keys(object, { old }, context) {
            if (old && sizeOf(old) === sizeOf(object)) return [];
            return context.informers
              .informer(poddisruptionbudgets)
              .byIndex('namespace', object.metadata.namespace ?? '')
              .map(keyOf);
          },
        }),
      ),
    ],
    access: [
      rule('apps', 'deployments replicasets statefulsets', read),
      rule('', 'replicationcontrollers pods', read),
      rule('', 'pods/status', 'patch update'),
      rule('policy', 'poddisruptionbudgets', read),
      rule('policy', 'poddisruptionbudgets/status', 'update'),
      rule('*', '*/scale', 'get'),
      ...mayRecord,
    ],
    async reconcile(key, context) {
      const budget = context.informers.informer(poddisruptionbudgets).get(key);
      if (!budget || budget.metadata.deletionTimestamp) return undefined;
      const owned = context.informers
        .informer(pods)
        .byIndex('namespace', budget.metadata.namespace ?? '')
        .filter((pod) => selects(budget, pod));
      if (owned.length === 0) context.events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
      const now = context.clock.now();
      const { disrupted, recheck } = stillDisrupted(budget, owned, context, now);
      let expect: Expectation;
      try {
        const { scale, unmanaged } = await expectedScale(budget, owned, context, served());
        expect = expectation(budget, owned.length, () => scale);
        if (unmanaged) {
          const message = `Pods selected by this PodDisruptionBudget (selector: ${formatSelector(budget.spec?.selector as never)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
          context.events.event(budget, 'Warning', 'UnmanagedPods', message);
        }
      } catch (error) {
        await failSafe(context, budget, error, now);
        throw error;
      }
      await writeStatus(context, poddisruptionbudgets, budget, budgetStatus(budget, owned, expect, disrupted, now));
      return recheck === undefined ? undefined : { again: recheck };
    },
  };
}

const sizeOf = (object: KubeObject): number | undefined => (object as { spec?: { replicas?: number } }).spec?.replicas;

/** Nothing may be evicted while it is not known how many pods there should be. */
async function failSafe(context: ControllerContext, budget: Budget, error: unknown, now: number): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const failed = `Failed to calculate the number of expected pods: ${message}`;
  context.events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', failed);
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    observedGeneration: budget.status?.observedGeneration ?? 0,
    lastTransitionTime: rfc3339(now),
  };
  const old = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 };
  await writeStatus(context, poddisruptionbudgets, budget, {
    ...old,
    disruptionsAllowed: 0,
    conditions: setInPlace(old.conditions, condition) as NonNullable<V1PodDisruptionBudgetStatus['conditions']>,
  });
}

function stillDisrupted(
  budget: Budget,
  owned: readonly Pod[],
  context: ControllerContext,
  now: number,
): { readonly disrupted: Readonly<Record<string, string>>; readonly recheck: number | undefined } {
  const disrupted: Record<string, string> = {};
  let recheck: number | undefined;
  for (const pod of owned) {
    const at = budget.status?.disruptedPods?.[pod.metadata.name];
    if (at === undefined || pod.metadata.deletionTimestamp) continue;
    const left = Date.parse(at) + deletionTimeout - now;
    if (left < 0) {
      const { namespace } = budget.metadata;
      // Upstream says the namespace twice; people match on what it says.
      const message = `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`;
      context.events.event(pod, 'Warning', 'NotDeleted', message);
      continue;
    }
    recheck = Math.min(recheck ?? Number.POSITIVE_INFINITY, left + 1);
    disrupted[pod.metadata.name] = at;
  }
  return { disrupted, recheck };
}

/** The replicas that the controllers of these pods want, each controller once. */
async function expectedScale(
  budget: Budget,
  owned: readonly Pod[],
  context: ControllerContext,
  served: readonly Resource[],
): Promise<{ readonly scale: number; readonly unmanaged: boolean }> {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable !== 'string') return { scale: 0, unmanaged: false };
  const sizes = new Map<string, number>();
  const seen = new Set<string>();
  let unmanaged = false;
  for (const pod of owned) {
    const owner = controllerOf(pod);
    if (!owner) {
      unmanaged = true;
      continue;
    }
    if (seen.has(owner.uid)) continue;
    seen.add(owner.uid);
    const found = await sizeOfController(pod, owner, context, served);
    if (!found) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
    sizes.set(found.uid, found.size);
  }
  return { scale: [...sizes.values()].reduce((sum, size) => sum + size, 0), unmanaged };
}

async function sizeOfController(
  pod: Pod,
  owner: NonNullable<ReturnType<typeof controllerOf>>,
  context: ControllerContext,
  served: readonly Resource[],
): Promise<{ readonly uid: string; readonly size: number } | undefined> {
  const key = `${pod.metadata.namespace}/${owner.name}`;
  const { group } = parseApiVersion(owner.apiVersion);
  for (const resource of [replicasets, statefulsets, replicationcontrollers]) {
    if (resource.kind !== owner.kind || resource.group !== group) continue;
    const found = context.informers.informer(resource as Resource).get(key);
    if (found?.metadata.uid !== owner.uid) return undefined;
    const grandparent = controllerOf(found);
    if (grandparent?.kind === 'Deployment') {
      const d = context.informers.informer(deployments).get(`${pod.metadata.namespace}/${grandparent.name}`);
      if (d?.metadata.uid === grandparent.uid) return { uid: d.metadata.uid, size: d.spec?.replicas ?? 1 };
    }
    return { uid: owner.uid, size: sizeOf(found) ?? 1 };
  }
  const resource = served.find((it) => it.kind === owner.kind && it.group === group);
  if (!resource?.subresources?.some((it) => it.name === 'scale')) return undefined;
  try {
    const scale = await context.client.get(resource, owner.name, {
      namespace: pod.metadata.namespace ?? '',
      subresource: 'scale',
    });
    return { uid: owner.uid, size: sizeOf(scale) ?? 0 };
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
