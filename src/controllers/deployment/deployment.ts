import { deployments, pods, replicasets } from '../../api/generated/resources.ts';
import type { V1DeploymentStatus, V1ReplicaSet } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { hasReason } from '../../api/status.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { conditionOf, withCondition } from '../support/conditions.ts';
import { templateHash } from '../support/hash.ts';
import { claim, controllerKey, controllerOf, controllerReference } from '../support/owners.ts';
import { isNamespaceTerminating } from '../support/pod-control.ts';
import { isPodTerminal } from '../support/pods.ts';
import { writeStatus } from '../support/status.ts';
import {
  annotations,
  byCreation,
  type Deployment,
  deadlineOf,
  findNew,
  hashLabel,
  historyLimitOf,
  isComplete,
  lastRevision,
  maxRevision,
  newAnnotations,
  type ReplicaSet,
  revisionOf,
  rolledBackAnnotations,
  sameTemplate,
  sizeAnnotations,
  sizeOf,
  sumActual,
  wanted,
} from './facts.ts';
import { growNew, isScalingEvent, newSize, proportional, type Scaling, shrinkOld } from './scaling.ts';
import { condition, countedStatus, nextProgressCheck, rolloutStatus } from './status.ts';

/** What one reconcile knows; functions below return it anew as the Deployment or its ReplicaSets change. */
interface Scene {
  readonly d: Deployment;
  readonly newOne: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

/** Rolls out Deployments. Upstream: pkg/controller/deployment. */
export const deploymentController: Controller = {
  name: 'deployment-controller',
  watches: [
    watched({ resource: deployments, keys: (d) => [keyOf(d)] }),
    watched({
      resource: replicasets,
      keys(rs, { old }, context) {
        const keys = [...controllerKey(rs, deployments), ...(old ? controllerKey(old, deployments) : [])];
        if (controllerOf(rs)) return keys;
        for (const d of context.informers.informer(deployments).byIndex('namespace', rs.metadata.namespace ?? '')) {
          if (matchesLabels(requirementsOf(d.spec?.selector), rs.metadata.labels)) keys.push(keyOf(d));
        }
        return keys;
      },
    }),
    watched({
      resource: pods,
      // Only Recreate waits for pods to vanish.
      keys(pod, { gone }, context) {
        if (!gone) return [];
        const owner = controllerOf(pod);
        if (owner?.kind !== 'ReplicaSet') return [];
        const rs = context.informers.informer(replicasets).get(`${pod.metadata.namespace}/${owner.name}`);
        const key = rs ? controllerKey(rs, deployments)[0] : undefined;
        if (key === undefined) return [];
        const d = context.informers.informer(deployments).get(key);
        return d?.spec?.strategy?.type === 'Recreate' ? [key] : [];
      },
    }),
  ],
  access: [
    rule('apps', 'deployments', `${read} update patch`),
    rule('apps', 'deployments/status deployments/finalizers', 'update'),
    rule('apps', 'replicasets', `${read} create update patch delete`),
    rule('', 'pods', `${read} update`),
    ...mayRecord,
  ],
  reconcile,
};

async function reconcile(key: string, context: ControllerContext): Promise<Outcome> {
  const found = context.informers.informer(deployments).get(key);
  if (!found) return undefined;
  const selector = found.spec?.selector;
  const selectsAll =
    Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;
  if (selectsAll) {
    context.events.event(
      found,
      'Warning',
      'SelectingAll',
      'This deployment is selecting all pods. A non-empty selector is required.',
    );
    const generation = found.metadata.generation ?? 0;
    await writeStatus(context, deployments, found, { ...found.status, observedGeneration: generation });
    return undefined;
  }
  const all = await claim({
    client: context.client,
    owner: found,
    ownerResource: deployments,
    resource: replicasets,
    informer: context.informers.informer(replicasets),
    selector,
  });
  if (found.metadata.deletionTimestamp) {
    return finish(context, await syncRevision(context, found, all, false), countedStatus);
  }
  const d = await markPause(context, found);
  if (d.spec?.paused) {
    const scene = await syncRevision(context, d, all, false);
    return finish(context, await rescale(context, scene), countedStatus);
  }
  if (/^\d+$/.test(d.metadata.annotations?.[annotations.rollbackTo] ?? '')) {
    await rollBack(context, await syncRevision(context, d, all, true));
    return undefined;
  }
  const scene = await syncRevision(context, d, all, false);
  if (isScalingEvent(scene.d, everySet(scene))) return finish(context, await rescale(context, scene), countedStatus);
  return scene.d.spec?.strategy?.type === 'Recreate' ? recreate(context, scene) : roll(context, scene, all);
}

const everySet = (scene: Scene): readonly ReplicaSet[] => [...scene.old, ...(scene.newOne ? [scene.newOne] : [])];

/** Writes the status, and comes back when the progress deadline is due. */
async function finish(context: ControllerContext, scene: Scene, status: typeof rolloutStatus): Promise<Outcome> {
  const now = context.clock.now();
  const next = status(scene.d, everySet(scene), scene.newOne, now);
  const d = await writeStatus(context, deployments, scene.d, next);
  const again = status === rolloutStatus ? nextProgressCheck(d, next, now) : undefined;
  return again === undefined ? undefined : { again };
}

/** Pausing stops the clock of the progress deadline; resuming starts it anew. */
async function markPause(context: ControllerContext, d: Deployment): Promise<Deployment> {
  if (deadlineOf(d) === undefined) return d;
  const current = conditionOf(d.status?.conditions, 'Progressing');
  if (current?.reason === 'ProgressDeadlineExceeded') return d;
  const marked = current?.reason === 'DeploymentPaused';
  if (Boolean(d.spec?.paused) === marked) return d;
  const next = d.spec?.paused
    ? condition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', context.clock.now())
    : condition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', context.clock.now());
  return writeStatus(context, deployments, d, {
    ...d.status,
    conditions: withCondition(d.status?.conditions, next),
  });
}

/** Finds the new ReplicaSet (makes it where `create`), and brings revisions and copied annotations up to date. */
async function syncRevision(
  context: ControllerContext,
  d: Deployment,
  all: readonly ReplicaSet[],
  create: boolean,
): Promise<Scene> {
  const known = findNew(d, all);
  const old = all.filter((rs) => rs !== known);
  const revision = maxRevision(old) + 1;
  if (!known) {
    if (!create) return { d, newOne: undefined, old };
    return createNew(context, d, old, revision);
  }
  const wantedAnnotations = newAnnotations(d, known.metadata.annotations ?? {}, revision, true);
  const minReady = d.spec?.minReadySeconds ?? 0;
  const differs =
    (known.spec?.minReadySeconds ?? 0) !== minReady ||
    Object.entries(wantedAnnotations).some(([key, value]) => known.metadata.annotations?.[key] !== value);
  if (differs) {
    const newOne = await context.client.update(replicasets, {
      ...known,
      metadata: { ...known.metadata, annotations: wantedAnnotations },
      spec: { ...known.spec, minReadySeconds: minReady } as NonNullable<V1ReplicaSet['spec']>,
    });
    return { d, newOne, old };
  }
  const noted = await noteRevision(context, d, known.metadata.annotations?.[annotations.revision] ?? '');
  if (deadlineOf(d) === undefined || conditionOf(d.status?.conditions, 'Progressing')) {
    return { d: noted, newOne: known, old };
  }
  const message = `Found new replica set "${known.metadata.name}"`;
  const next = condition('Progressing', 'True', 'FoundNewReplicaSet', message, context.clock.now());
  return { d: await addCondition(context, noted, next), newOne: known, old };
}

const addCondition = (
  context: ControllerContext,
  d: Deployment,
  next: ReturnType<typeof condition>,
  more: V1DeploymentStatus = {},
): Promise<Deployment> =>
  writeStatus(context, deployments, d, {
    ...d.status,
    ...more,
    conditions: withCondition(d.status?.conditions, next),
  });

async function noteRevision(context: ControllerContext, d: Deployment, revision: string): Promise<Deployment> {
  if (revision === '' || d.metadata.annotations?.[annotations.revision] === revision) return d;
  return context.client.patch(
    deployments,
    d.metadata.name,
    { metadata: { uid: d.metadata.uid, annotations: { [annotations.revision]: revision } } },
    { type: 'application/merge-patch+json', namespace: d.metadata.namespace ?? '' },
  );
}

async function createNew(
  context: ControllerContext,
  d: Deployment,
  old: readonly ReplicaSet[],
  revision: number,
): Promise<Scene> {
  const template = d.spec?.template ?? {};
  const hash = templateHash(template, d.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const selector = d.spec?.selector;
  const size = newSize(d, old, 0);
  const name = `${d.metadata.name}-${hash}`;
  const namespace = d.metadata.namespace ?? '';
  let newOne: ReplicaSet;
  try {
    newOne = await context.client.create(replicasets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace,
        labels,
        annotations: newAnnotations(d, {}, revision, false),
        ownerReferences: [controllerReference(deployments, d)],
      },
      spec: {
        replicas: size,
        minReadySeconds: d.spec?.minReadySeconds ?? 0,
        selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
  } catch (error) {
    return notCreated(context, d, old, name, error);
  }
  if (size > 0) {
    const message = `Scaled up replica set ${newOne.metadata.name} from 0 to ${size}`;
    context.events.event(d, 'Normal', 'ScalingReplicaSet', message);
  }
  const noted = await noteRevision(context, d, String(revision));
  if (deadlineOf(d) === undefined) return { d: noted, newOne, old };
  const message = `Created new replica set "${newOne.metadata.name}"`;
  const next = condition('Progressing', 'True', 'NewReplicaSetCreated', message, context.clock.now());
  return { d: await addCondition(context, noted, next), newOne, old };
}

async function notCreated(
  context: ControllerContext,
  d: Deployment,
  old: readonly ReplicaSet[],
  name: string,
  error: unknown,
): Promise<Scene> {
  if (hasReason(error, 'AlreadyExists')) {
    const there = await context.client.get(replicasets, name, { namespace: d.metadata.namespace ?? '' });
    if (controllerOf(there)?.uid === d.metadata.uid && sameTemplate(there.spec?.template, d.spec?.template)) {
      return { d, newOne: there, old };
    }
    // Somebody else's: the next hash takes the count of collisions in.
    const collisionCount = (d.status?.collisionCount ?? 0) + 1;
    await writeStatus(context, deployments, d, { ...d.status, collisionCount });
    throw error;
  }
  if (isNamespaceTerminating(error)) throw error;
  const why = error instanceof Error ? error.message : String(error);
  const message = `Failed to create new replica set "${name}": ${why}`;
  if (deadlineOf(d) !== undefined) {
    const next = condition('Progressing', 'False', 'ReplicaSetCreateError', message, context.clock.now());
    await addCondition(context, d, next);
  }
  context.events.event(d, 'Warning', 'ReplicaSetCreateError', message);
  throw error;
}

/** Sizes one ReplicaSet; the event says from what to what. */
async function scale(context: ControllerContext, d: Deployment, it: Scaling): Promise<ReplicaSet> {
  const { replicaSet: rs, size } = it;
  const before = sizeOf(rs);
  const notes = sizeAnnotations(d);
  const stale = Object.entries(notes).some(([key, value]) => rs.metadata.annotations?.[key] !== value);
  if (before === size && !(it.mark && stale)) return rs;
  const updated = await context.client.update(replicasets, {
    ...rs,
    metadata: { ...rs.metadata, annotations: { ...rs.metadata.annotations, ...notes } },
    spec: { ...rs.spec, replicas: size } as NonNullable<V1ReplicaSet['spec']>,
  });
  if (before !== size) {
    const direction = before < size ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${rs.metadata.name} from ${before} to ${size}`;
    context.events.event(d, 'Normal', 'ScalingReplicaSet', message);
  }
  return updated;
}

async function apply(context: ControllerContext, scene: Scene, scalings: readonly Scaling[]): Promise<Scene> {
  const next = new Map<string, ReplicaSet>();
  for (const scaling of scalings) {
    next.set(scaling.replicaSet.metadata.uid, await scale(context, scene.d, scaling));
  }
  const now = (rs: ReplicaSet): ReplicaSet => next.get(rs.metadata.uid) ?? rs;
  return { d: scene.d, newOne: scene.newOne && now(scene.newOne), old: scene.old.map(now) };
}

async function rescale(context: ControllerContext, scene: Scene): Promise<Scene> {
  const next = await apply(context, scene, proportional(scene.d, scene.newOne, scene.old));
  if (scene.d.spec?.paused) await cleanUp(context, next);
  return next;
}

async function roll(context: ControllerContext, before: Scene, all: readonly ReplicaSet[]): Promise<Outcome> {
  const scene = before.newOne ? before : await syncRevision(context, before.d, all, true);
  const { d, newOne, old } = scene;
  if (!newOne) return finish(context, scene, rolloutStatus);
  const grow = growNew(d, newOne, old);
  if (grow) return finish(context, await apply(context, scene, [grow]), rolloutStatus);
  const shrink = shrinkOld(d, newOne, old);
  if (shrink.length > 0) return finish(context, await apply(context, scene, shrink), rolloutStatus);
  if (isComplete(d, d.status ?? {})) await cleanUp(context, scene);
  return finish(context, scene, rolloutStatus);
}

async function recreate(context: ControllerContext, scene: Scene): Promise<Outcome> {
  const { d } = scene;
  const busy = scene.old.filter((rs) => sizeOf(rs) > 0);
  if (busy.length > 0) {
    const shrink = busy.map((replicaSet) => ({ replicaSet, size: 0 }));
    return finish(context, await apply(context, scene, shrink), rolloutStatus);
  }
  if (oldPodsRun(context, scene)) return finish(context, scene, rolloutStatus);
  const made = scene.newOne ? scene : await syncRevision(context, d, scene.old, true);
  const next = made.newOne ? await apply(context, made, [{ replicaSet: made.newOne, size: wanted(made.d) }]) : made;
  if (isComplete(next.d, next.d.status ?? {})) await cleanUp(context, next);
  return finish(context, next, rolloutStatus);
}

function oldPodsRun(context: ControllerContext, { old }: Scene): boolean {
  if (sumActual(old) > 0) return true;
  const informer = context.informers.informer(pods);
  return old.some((rs) => informer.byIndex('owner', rs.metadata.uid).some((pod) => !isPodTerminal(pod)));
}

/** Deletes old ReplicaSets beyond the history limit, the lowest revisions first. */
async function cleanUp(context: ControllerContext, { d, old }: Scene): Promise<void> {
  const limit = historyLimitOf(d);
  if (limit === undefined) return;
  const alive = old.filter((rs) => !rs.metadata.deletionTimestamp);
  const excess = alive.length - limit;
  if (excess <= 0) return;
  const sorted = [...alive].sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b));
  for (const rs of sorted.slice(0, excess)) {
    const settled = (rs.metadata.generation ?? 0) <= (rs.status?.observedGeneration ?? 0);
    if ((rs.status?.replicas ?? 0) !== 0 || sizeOf(rs) !== 0 || !settled) continue;
    try {
      await context.client.delete(replicasets, rs.metadata.name, { namespace: rs.metadata.namespace ?? '' });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
}

/** `deprecated.deployment.rollback.to`, which kubectl of old and extensions/v1beta1 set. */
async function rollBack(context: ControllerContext, scene: Scene): Promise<void> {
  const { d } = scene;
  const all = everySet(scene);
  const asked = Number(d.metadata.annotations?.[annotations.rollbackTo]);
  const revision = asked === 0 ? lastRevision(all) : asked;
  const target = revision === 0 ? undefined : all.find((rs) => revisionOf(rs) === revision);
  const { [annotations.rollbackTo]: _, ...cleared } = d.metadata.annotations ?? {};
  const write = (notes: Readonly<Record<string, string>>, template = d.spec?.template): Promise<unknown> =>
    context.client.update(deployments, {
      ...d,
      metadata: { ...d.metadata, annotations: notes },
      spec: { ...d.spec, template } as NonNullable<Deployment['spec']>,
    });
  if (!target) {
    const message = revision === 0 ? 'Unable to find last revision.' : 'Unable to find the revision to rollback to.';
    context.events.event(d, 'Warning', 'DeploymentRollbackRevisionNotFound', message);
    await write(cleared);
    return;
  }
  if (sameTemplate(target.spec?.template, d.spec?.template)) {
    const message = `The rollback revision contains the same template as current deployment "${d.metadata.name}"`;
    context.events.event(d, 'Warning', 'DeploymentRollbackTemplateUnchanged', message);
    await write(cleared);
    return;
  }
  const { [hashLabel]: hash, ...labels } = target.spec?.template?.metadata?.labels ?? {};
  const template = { ...target.spec?.template, metadata: { ...target.spec?.template?.metadata, labels } };
  await write(rolledBackAnnotations(d, target), template);
  context.log.debug('rolled back', { deployment: d.metadata.name, revision, hash });
  const message = `Rolled back deployment "${d.metadata.name}" to revision ${revision}`;
  context.events.event(d, 'Normal', 'DeploymentRollback', message);
}
