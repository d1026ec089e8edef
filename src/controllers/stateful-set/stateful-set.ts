import { controllerrevisions, persistentvolumeclaims, pods, statefulsets } from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { hasReason } from '../../api/status.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import {
  createRevision,
  isRevisionOf,
  listRevisions,
  type Revision,
  renumber,
  templateOf,
  truncateRevisions,
} from '../support/history.ts';
import { claim, controllerKey, controllerOf } from '../support/owners.ts';
import { slowStart } from '../support/pod-control.ts';
import { nextAvailability } from '../support/pods.ts';
import { writeStatus } from '../support/status.ts';
import { claimOwners, hasStrangeController, isLeaving } from './claims.ts';
import {
  claimsFor,
  identityLabels,
  identityMatches,
  isParallel,
  minReadyOf,
  newPod,
  ordinalOf,
  type Pod,
  podName,
  podRevision,
  type StatefulSet,
  statusOf,
  storageMatches,
  withStorage,
} from './facts.ts';
import { type Action, plan } from './plan.ts';

/** Keeps pods with identities. Upstream: pkg/controller/statefulset. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  watches: [
    watched({ resource: statefulsets, keys: (set) => [keyOf(set)] }),
    watched({
      resource: pods,
      keys(pod, { old }, context) {
        const keys = [...controllerKey(pod, statefulsets), ...(old ? controllerKey(old, statefulsets) : [])];
        if (controllerOf(pod)) return keys;
        for (const set of context.informers.informer(statefulsets).byIndex('namespace', pod.metadata.namespace ?? '')) {
          if (matchesLabels(requirementsOf(set.spec?.selector), pod.metadata.labels)) keys.push(keyOf(set));
        }
        return keys;
      },
    }),
    watched({ resource: persistentvolumeclaims, keys: (it) => controllerKey(it, statefulsets) }),
    watched({ resource: controllerrevisions, keys: (it) => controllerKey(it, statefulsets) }),
  ],
  access: [
    rule('apps', 'statefulsets', read),
    rule('apps', 'statefulsets/status statefulsets/finalizers', 'update'),
    rule('', 'pods', `${read} create delete update patch`),
    rule('', 'pods/finalizers', 'update'),
    rule('apps', 'controllerrevisions', `${read} create delete update patch`),
    rule('', 'persistentvolumeclaims', `${read} create update`),
    ...mayRecord,
  ],
  reconcile,
};

async function reconcile(key: string, context: ControllerContext): Promise<Outcome> {
  const set = context.informers.informer(statefulsets).get(key);
  if (!set) return undefined;
  const owned = await claim({
    client: context.client,
    owner: set,
    ownerResource: statefulsets,
    resource: pods,
    informer: context.informers.informer(pods),
    selector: set.spec?.selector,
    include: (pod) => ordinalOf(set, pod.metadata.name) >= 0,
  });
  const revisions = await listRevisions(context, statefulsets, set, set.spec?.selector);
  const { current, update, collisionCount } = await revise(context, set, revisions);
  const now = context.clock.now();
  const actions = plan({
    set,
    pods: owned,
    current: current.metadata.name,
    update: update.metadata.name,
    now,
    isConsistent: (pod, ordinal) =>
      identityMatches(set, pod) && storageMatches(set, pod) && claimUpdates(context, set, pod, ordinal).length === 0,
  });
  const error = await perform(context, set, actions, current, update);
  const status = statusOf({
    set,
    pods: owned,
    current: current.metadata.name,
    update: update.metadata.name,
    collisionCount,
    now,
  });
  await writeStatus(context, statefulsets, set, status);
  const alive = new Set([current.metadata.name, update.metadata.name, ...owned.map(podRevision)]);
  const limit = set.spec?.revisionHistoryLimit ?? 10;
  await truncateRevisions(context, revisions, (revision) => alive.has(revision.metadata.name), limit);
  if (error !== undefined) throw error;
  if (minReadyOf(set) > 0 && status.readyReplicas !== status.availableReplicas) {
    return { again: nextAvailability(owned, minReadyOf(set), now) ?? minReadyOf(set) * 1000 };
  }
  return undefined;
}

async function revise(
  context: ControllerContext,
  set: StatefulSet,
  revisions: readonly Revision[],
): Promise<{ readonly current: Revision; readonly update: Revision; readonly collisionCount: number }> {
  const collisionCount = set.status?.collisionCount ?? 0;
  const next = (revisions.at(-1)?.revision ?? 0) + 1;
  const equal = revisions.filter((revision) => isRevisionOf(revision, set.spec?.template)).at(-1);
  const current = revisions.find((revision) => revision.metadata.name === set.status?.currentRevision);
  if (equal) {
    const update = equal === revisions.at(-1) ? equal : await renumber(context, equal, next);
    return { current: current === equal || !current ? update : current, update, collisionCount };
  }
  const made = await createRevision(context, {
    resource: statefulsets,
    owner: set,
    template: set.spec?.template,
    revision: next,
    collisionCount,
  });
  return { current: current ?? made.revision, update: made.revision, collisionCount: made.collisionCount };
}

/** Carries actions out: in order, or all at once where the set is parallel. Returns the first error. */
async function perform(
  context: ControllerContext,
  set: StatefulSet,
  actions: readonly Action[],
  current: Revision,
  update: Revision,
): Promise<unknown> {
  const run = (action: Action): Promise<void> => act(context, set, action, current, update);
  if (isParallel(set)) return (await slowStart(actions.length, (i) => run(actions[i] as Action))).error;
  try {
    for (const action of actions) await run(action);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function act(
  context: ControllerContext,
  set: StatefulSet,
  action: Action,
  current: Revision,
  update: Revision,
): Promise<void> {
  switch (action.type) {
    case 'create': {
      const { ordinal, revision } = action.slot;
      if (hasStaleClaim(context, set, ordinal)) return;
      const template = revision === current.metadata.name ? templateOf(current) : templateOf(update);
      const name = podName(set, ordinal);
      try {
        await createClaims(context, set, ordinal, name);
        const pod = await context.client.create(pods, newPod(set, template, ordinal, revision));
        await updateClaims(context, set, pod, ordinal);
        say(context, set, 'Create', name);
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) say(context, set, 'Create', name, error);
        throw error;
      }
      return;
    }
    case 'claims':
      await createClaims(context, set, action.slot.ordinal, action.pod.metadata.name);
      await updateClaims(context, set, action.pod, action.slot.ordinal);
      return;
    case 'update':
      await makeConsistent(context, set, action.pod, action.ordinal);
      return;
    case 'delete':
      await remove(context, set, action.pod);
      return;
  }
}

async function remove(context: ControllerContext, set: StatefulSet, pod: Pod): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  try {
    await context.client.delete(pods, name, { namespace: namespace ?? '', preconditions: { uid } });
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) {
      say(context, set, 'Delete', name, error);
      throw error;
    }
  }
  say(context, set, 'Delete', name);
}

async function makeConsistent(context: ControllerContext, set: StatefulSet, pod: Pod, ordinal: number): Promise<void> {
  const { name } = pod.metadata;
  try {
    if (!storageMatches(set, pod)) await createClaims(context, set, ordinal, name);
    await updateClaims(context, set, pod, ordinal);
    if (identityMatches(set, pod) && storageMatches(set, pod)) return;
    const labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal) };
    const spec = withStorage(set, ordinal, pod.spec);
    const next = { ...pod, metadata: { ...pod.metadata, labels }, ...(spec && { spec }) } as V1Pod;
    await context.client.update(pods, next);
    say(context, set, 'Update', name);
  } catch (error) {
    if (!hasReason(error, 'Conflict')) say(context, set, 'Update', name, error);
    throw error;
  }
}

const say = (
  context: ControllerContext,
  set: StatefulSet,
  verb: 'Create' | 'Update' | 'Delete',
  name: string,
  error?: unknown,
): void => {
  const about = `${verb} Pod ${name} in StatefulSet ${set.metadata.name}`;
  if (error === undefined) context.events.event(set, 'Normal', `Successful${verb}`, `${about} successful`);
  else {
    const why = error instanceof Error ? error.message : String(error);
    context.events.event(set, 'Warning', `Failed${verb}`, `${about} failed error: ${why}`);
  }
};

const claimIn = (context: ControllerContext, set: StatefulSet, name: string | undefined) =>
  context.informers.informer(persistentvolumeclaims).get(`${set.metadata.namespace}/${name}`);

function hasStaleClaim(context: ControllerContext, set: StatefulSet, ordinal: number): boolean {
  if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return false;
  return [...claimsFor(set, ordinal).values()].some((wanted) => {
    const found = claimIn(context, set, wanted.metadata?.name);
    return found !== undefined && isLeaving(found, podName(set, ordinal), undefined);
  });
}

async function createClaims(context: ControllerContext, set: StatefulSet, ordinal: number, pod: string): Promise<void> {
  const problems: string[] = [];
  for (const wanted of claimsFor(set, ordinal).values()) {
    const name = wanted.metadata?.name ?? '';
    const found = claimIn(context, set, name);
    if (found?.metadata.deletionTimestamp) problems.push(`pvc ${name} is being deleted`);
    if (found) continue;
    try {
      await context.client.create(persistentvolumeclaims, wanted);
      const message = `Create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`;
      context.events.event(set, 'Normal', 'SuccessfulCreate', message);
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) continue;
      const why = error instanceof Error ? error.message : String(error);
      const message = `Create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${why}`;
      context.events.event(set, 'Warning', 'FailedCreate', message);
      problems.push(`failed to create PVC ${name}: ${why}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
}

function claimUpdates(context: ControllerContext, set: StatefulSet, pod: Pod, ordinal: number) {
  return [...claimsFor(set, ordinal).values()].flatMap((wanted) => {
    const found = claimIn(context, set, wanted.metadata?.name);
    const owners = found && claimOwners(found, set, pod);
    return found && owners ? [{ found, owners }] : [];
  });
}

async function updateClaims(context: ControllerContext, set: StatefulSet, pod: Pod, ordinal: number): Promise<void> {
  for (const { found, owners } of claimUpdates(context, set, pod, ordinal)) {
    if (hasStrangeController(found, set, pod)) {
      const message = `PersistentVolumeClaim ${found.metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`;
      context.events.event(set, 'Warning', 'ConflictingController', message);
    }
    await context.client.update(persistentvolumeclaims, {
      ...found,
      metadata: { ...found.metadata, ownerReferences: owners },
    });
  }
}
