import { poddisruptionbudgets, pods } from '../../api/generated/resources.ts';
import type { V1Eviction, V1Pod, V1PodDisruptionBudget, V1StatusCause } from '../../api/generated/types.ts';
import type { ResourceRequest, ResourceResult } from '../../api/handler.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import type { Live } from '../../api/resource.ts';
import {
  badRequest,
  conflict,
  forbidden,
  hasReason,
  notFound,
  type StatusError,
  statusError,
} from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { asLoose, type Loose } from '../../kinds/draft.ts';
import type { Draft } from '../../kinds/kind.ts';
import { loopbackUser } from '../authz/loopback.ts';
import type { AdmissionPlugin, ServerContext, SpecialHandler } from '../contracts.ts';
import { admitSubresource } from './admit.ts';
import { bodyOf, success } from './answer.ts';

type Budget = Live<V1PodDisruptionBudget>;
const maxDisruptedPods = 2000;
const attempts = 20;
const it = { group: '', resource: 'pods' };

function tooMany(message: string, retryAfterSeconds: number): StatusError {
  const cause: V1StatusCause = { reason: 'DisruptionBudget', message };
  return statusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [cause],
    ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
  });
}

const stillProcessed = (name: string): StatusError =>
  tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);

/** Throws while the budget allows no disruption. */
function checkBudget(budget: Budget): void {
  const { name, generation = 0 } = budget.metadata;
  const { status } = budget;
  if ((status?.observedGeneration ?? 0) < generation) throw stillProcessed(name);
  const allowed = status?.disruptionsAllowed ?? 0;
  const group = { group: 'policy', resource: 'poddisruptionbudget' };
  if (allowed < 0) throw forbidden(group, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status?.disruptedPods ?? {}).length > maxDisruptedPods) {
    throw forbidden(group, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (allowed > 0) return;
  const condition = status?.conditions?.find((known) => known.type === 'DisruptionAllowed');
  const says = condition?.status === 'False' && (condition.message ?? '') !== '' ? condition : undefined;
  const opening = `The disruption budget ${name} does not allow evicting pods currently`;
  const current = status?.currentHealthy ?? 0;
  const desired = status?.desiredHealthy ?? 0;
  if (says?.reason === 'SyncFailed') throw tooMany(`${opening} because it failed sync: ${says.message}`, 0);
  if (current <= desired) {
    throw tooMany(`The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`, 0);
  }
  throw tooMany(says ? `${opening} (${says.reason}): ${says.message}` : opening, 0);
}

/** The budget after one more disruption. */
function spent(draft: Draft, podName: string, now: string): Draft {
  const budget = asLoose<V1PodDisruptionBudget>(draft);
  const allowed = (budget.status?.disruptionsAllowed ?? 1) - 1;
  const conditions = (budget.status?.conditions ?? []).map((condition) =>
    allowed === 0 && condition.type === 'DisruptionAllowed' && condition.status !== 'False'
      ? { ...condition, status: 'False', reason: 'InsufficientPods', message: '', lastTransitionTime: now }
      : condition,
  );
  budget.status = {
    ...budget.status,
    disruptionsAllowed: allowed,
    disruptedPods: { ...budget.status?.disruptedPods, [podName]: now },
    ...(conditions.length > 0 && { conditions }),
  };
  return draft;
}

const isReady = (pod: Live<V1Pod>): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

/** True for pods that no budget guards: over, not begun, or on their way out. */
const unguarded = (pod: Live<V1Pod>): boolean =>
  ['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase ?? '') || pod.metadata.deletionTimestamp !== undefined;

function budgetsOf(context: ServerContext, pod: Live<V1Pod>): readonly Budget[] {
  const labels = pod.metadata.labels ?? {};
  if (Object.keys(labels).length === 0) return [];
  return context.reader.list(poddisruptionbudgets, pod.metadata.namespace).filter((budget) => {
    const selector = requirementsOf(budget.spec?.selector);
    return selector !== undefined && matchesLabels(selector, labels);
  });
}

interface Removal {
  readonly request: ResourceRequest;
  readonly options: ResourceRequest['options'];
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Notes on the pod why it goes, then deletes it. */
async function remove(context: ServerContext, name: string, removal: Removal): Promise<void> {
  const { request, options, uid } = removal;
  let { resourceVersion } = removal;
  const podIt = { group: '', resource: 'Pod' };
  if (!options.dryRun) {
    const updated = await context.mutate(
      pods,
      request.namespace,
      name,
      (draft, live) => {
        if (uid && uid !== live.metadata.uid) {
          throw conflict(
            podIt,
            name,
            `the UID in the precondition (${uid}) does not match the UID in record (${live.metadata.uid}). The object might have been deleted and then recreated`,
          );
        }
        if (resourceVersion && resourceVersion !== live.metadata.resourceVersion) {
          throw conflict(
            podIt,
            name,
            `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${live.metadata.resourceVersion}). The object might have been modified`,
          );
        }
        const pod = asLoose<V1Pod>(draft);
        const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'DisruptionTarget');
        pod.status = {
          ...pod.status,
          conditions: [
            ...others,
            {
              type: 'DisruptionTarget',
              status: 'True',
              reason: 'EvictionByEvictionAPI',
              message: 'Eviction API: evicting',
              lastTransitionTime: rfc3339(context.clock.now()),
            },
          ],
        };
        return draft;
      },
      { user: request.user },
    );
    if (resourceVersion) resourceVersion = updated.metadata.resourceVersion;
  }
  await context.dispatch({
    verb: 'delete',
    group: '',
    version: 'v1',
    resource: 'pods',
    name,
    ...(request.namespace !== undefined && { namespace: request.namespace }),
    options: {
      ...options,
      preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    },
    user: loopbackUser,
  });
}

function deleteOptionsOf(request: ResourceRequest, eviction: Loose<V1Eviction>): ResourceRequest['options'] {
  const sent = eviction.deleteOptions ?? {};
  const policy = sent.propagationPolicy;
  return {
    ...((request.options.dryRun || (sent.dryRun ?? []).length > 0) && { dryRun: true }),
    ...(sent.gracePeriodSeconds !== undefined && { gracePeriodSeconds: sent.gracePeriodSeconds }),
    ...(sent.orphanDependents !== undefined && { orphanDependents: sent.orphanDependents }),
    ...((policy === 'Orphan' || policy === 'Background' || policy === 'Foreground') && { propagationPolicy: policy }),
  };
}

/** `pods/eviction`: deletes a pod where its disruption budget allows it (pkg/registry/core/pod/storage/eviction.go). */
export function evictionHandler(options: { readonly admission: () => readonly AdmissionPlugin[] }): SpecialHandler {
  return async (request: ResourceRequest, context: ServerContext): Promise<ResourceResult> => {
    const eviction = bodyOf<V1Eviction>(request, 'Eviction');
    const name = request.name ?? '';
    if (eviction.metadata?.name !== name) throw badRequest('name in URL does not match name in Eviction object');
    if (request.body) await admitSubresource(options.admission(), context, request, pods, request.body);
    const deletion = deleteOptionsOf(request, eviction);
    const { uid, resourceVersion: askedVersion } = eviction.deleteOptions?.preconditions ?? {};
    const dryRun = deletion.dryRun === true;
    const readPod = (): Live<V1Pod> => {
      const pod = context.reader.get(pods, request.namespace, name);
      if (!pod) throw notFound(it, name);
      return pod;
    };

    let pod = readPod();
    for (let attempt = 1; unguarded(pod); attempt++) {
      const pinned = askedVersion ?? (pod.status?.phase === 'Pending' ? pod.metadata.resourceVersion : undefined);
      try {
        await remove(context, name, { request, options: deletion, uid, resourceVersion: pinned });
        return success;
      } catch (error) {
        if (!hasReason(error, 'Conflict') || askedVersion !== undefined || attempt >= attempts) throw error;
        pod = readPod();
      }
    }

    const budgets = budgetsOf(context, pod);
    const [budget] = budgets;
    if (budgets.length > 1) {
      throw statusError(
        500,
        '',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    }
    let pinned = askedVersion;
    if (budget) {
      const enough =
        (budget.status?.currentHealthy ?? 0) >= (budget.status?.desiredHealthy ?? 0) &&
        (budget.status?.desiredHealthy ?? 0) > 0;
      const free = !isReady(pod) && (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || enough);
      if (free) pinned ??= pod.metadata.resourceVersion;
      else {
        await context.mutate(
          poddisruptionbudgets,
          budget.metadata.namespace,
          budget.metadata.name,
          (draft, live) => {
            checkBudget(live);
            return dryRun ? undefined : spent(draft, name, rfc3339(context.clock.now()));
          },
          { dryRun },
        );
      }
    }
    try {
      await remove(context, name, { request, options: deletion, uid, resourceVersion: pinned });
    } catch (error) {
      if (budget && hasReason(error, 'Conflict') && pinned !== undefined && askedVersion === undefined) {
        throw stillProcessed(budget.metadata.name);
      }
      throw error;
    }
    return success;
  };
}
