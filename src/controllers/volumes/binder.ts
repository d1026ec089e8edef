import {
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  storageclasses,
} from '../../api/generated/resources.ts';
import type { V1PersistentVolumeClaimStatus, V1Pod, V1StorageClass } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { writeStatus } from '../support/status.ts';
import { expandLocal } from './expand.ts';
import {
  bestMatch,
  betaStorageProvisioner,
  bindCompleted,
  boundByController,
  type Claim,
  classOf,
  isFor,
  mismatch,
  provisionedBy,
  selectedNode,
  storageProvisioner,
  type Volume,
} from './match.ts';
import { localPathProvisioner, localVolume } from './provision.ts';
import { type BinderOptions, misused, reclaim, setPhase } from './reclaim.ts';

/** How often an unbound claim is looked at again, milliseconds: external provisioners and classes come later. */
const retryMs = 15_000;
const byClaim = 'binder/claim';
const defaultClassNote = 'storageclass.kubernetes.io/is-default-class';

/** The index of pods by the claims they mount. */
export const claimsOfPod = (pod: V1Pod): readonly string[] => {
  const { namespace, name } = pod.metadata ?? {};
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [`${namespace}/${volume.persistentVolumeClaim.claimName}`];
    return volume.ephemeral ? [`${namespace}/${name}-${volume.name}`] : [];
  });
};

/** Brings claims and volumes together, makes local volumes, and reclaims them. Upstream: pkg/controller/volume/persistentvolume. */
export function volumeBinder(options: BinderOptions): Controller {
  return {
    name: 'persistent-volume-binder',
    eventSource: 'persistentvolume-controller',
    // One at a time: two claims must not take the same volume.
    workers: 1,
    watches: [
      watched({
        resource: persistentvolumeclaims,
        keys: (claim, { gone }) => [
          ...(gone ? [] : [`claim:${keyOf(claim)}`]),
          ...(claim.spec?.volumeName ? [`volume:${claim.spec.volumeName}`] : []),
        ],
      }),
      watched({
        resource: persistentvolumes,
        keys(volume, { gone }, context) {
          const { claimRef } = volume.spec ?? {};
          const keys = gone ? [] : [`volume:${volume.metadata.name}`];
          if (claimRef) return [...keys, `claim:${claimRef.namespace}/${claimRef.name}`];
          if (volume.status?.phase !== 'Available') return keys;
          return [...keys, ...waitingClaims(context, (claim) => classOf(claim) === classOf(volume))];
        },
      }),
      watched({
        resource: storageclasses,
        keys: (it, { gone }, context) =>
          gone
            ? []
            : waitingClaims(
                context,
                (claim) => claim.spec?.storageClassName === undefined || classOf(claim) === it.metadata.name,
              ),
      }),
      watched({ resource: pods, keys: () => [] }),
      watched({ resource: nodes, keys: () => [] }),
    ],
    access: [
      rule('', 'persistentvolumes', `${read} create delete update patch`),
      rule('', 'persistentvolumes/status persistentvolumeclaims/status', 'update'),
      rule('', 'persistentvolumeclaims', `${read} update patch`),
      rule('storage.k8s.io', 'storageclasses', read),
      rule('', 'pods nodes', read),
      ...mayRecord,
    ],
    start(context) {
      context.informers.informer(pods).addIndex(byClaim, claimsOfPod);
      return Promise.resolve();
    },
    reconcile(key, context) {
      const [kind = '', name = ''] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
      return kind === 'claim' ? syncClaim(name, context, options) : syncVolume(name, context, options);
    },
  };
}

const waitingClaims = (context: ControllerContext, wanted: (claim: Claim) => boolean): readonly string[] =>
  context.informers
    .informer(persistentvolumeclaims)
    .list()
    .filter((claim) => !claim.metadata.annotations?.[bindCompleted] && wanted(claim))
    .map((claim) => `claim:${keyOf(claim)}`);

async function syncClaim(key: string, context: ControllerContext, options: BinderOptions): Promise<Outcome> {
  const claim = context.informers.informer(persistentvolumeclaims).get(key);
  if (!claim) return undefined;
  if (claim.metadata.annotations?.[bindCompleted]) return keepBound(context, claim);
  const name = claim.spec?.volumeName;
  if (name) return bindRequested(context, claim, name);
  if (claim.metadata.deletionTimestamp) return undefined;
  return bindAny(context, await withDefaultClass(context, claim), options);
}

/** Claims that came before there was a default class get it later. */
async function withDefaultClass(context: ControllerContext, claim: Claim): Promise<Claim> {
  if (claim.spec?.storageClassName !== undefined || classOf(claim) !== '') return claim;
  const defaults = context.informers
    .informer(storageclasses)
    .list()
    .filter((it) => it.metadata.annotations?.[defaultClassNote] === 'true');
  const newest = [...defaults].sort((a, b) =>
    a.metadata.creationTimestamp === b.metadata.creationTimestamp
      ? a.metadata.name.localeCompare(b.metadata.name)
      : b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
  )[0];
  if (!newest) return claim;
  return context.client.update(persistentvolumeclaims, {
    ...claim,
    spec: { ...claim.spec, storageClassName: newest.metadata.name },
  });
}

async function bindAny(context: ControllerContext, claim: Claim, options: BinderOptions): Promise<Outcome> {
  const storageClass = context.informers.informer(storageclasses).get(classOf(claim));
  const delayed =
    storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && !claim.metadata.annotations?.[selectedNode];
  const volume = bestMatch(context.informers.informer(persistentvolumes).list(), claim, delayed);
  if (volume) {
    await bind(context, volume, claim);
    return undefined;
  }
  await writeStatus(context, persistentvolumeclaims, claim, { ...claim.status, phase: 'Pending' });
  if (delayed) {
    const waiting = unscheduledPod(context, claim);
    if (waiting) {
      const message = `waiting for pod ${waiting} to be scheduled`;
      context.events.event(claim, 'Normal', 'WaitForPodScheduled', message);
    } else {
      const message = 'waiting for first consumer to be created before binding';
      context.events.event(claim, 'Normal', 'WaitForFirstConsumer', message);
    }
    return { again: retryMs };
  }
  if (classOf(claim) !== '') return provision(context, claim, storageClass, options);
  const message = 'no persistent volumes available for this claim and no storage class is set';
  context.events.event(claim, 'Normal', 'FailedBinding', message);
  return { again: retryMs };
}

const unscheduledPod = (context: ControllerContext, claim: Claim): string | undefined =>
  context.informers
    .informer(pods)
    .byIndex(byClaim, keyOf(claim))
    .find((pod) => !pod.spec?.nodeName)?.metadata.name;

async function provision(
  context: ControllerContext,
  claim: Claim,
  storageClass: Live<V1StorageClass> | undefined,
  options: BinderOptions,
): Promise<Outcome> {
  const fail = (message: string): Outcome => {
    context.events.event(claim, 'Warning', 'ProvisioningFailed', message);
    return { again: retryMs };
  };
  if (!storageClass) return fail(`storageclass.storage.k8s.io "${classOf(claim)}" not found`);
  const { provisioner } = storageClass;
  if (provisioner === 'kubernetes.io/no-provisioner') return fail(`no volume plugin matched name: ${provisioner}`);
  const noted = await noteProvisioner(context, claim, provisioner);
  if (provisioner !== localPathProvisioner) {
    const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    context.events.event(noted, 'Normal', 'ExternalProvisioning', message);
    return { again: retryMs };
  }
  try {
    const volume = localVolume(noted, storageClass, options.directory);
    const created = await context.client.create(persistentvolumes, volume);
    context.events.event(
      noted,
      'Normal',
      'ProvisioningSucceeded',
      `Successfully provisioned volume ${created.metadata.name}`,
    );
    await bind(context, created, noted);
    return undefined;
  } catch (error) {
    if (hasReason(error, 'AlreadyExists') || hasReason(error, 'Conflict')) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return fail(`failed to provision volume with StorageClass "${storageClass.metadata.name}": ${why}`);
  }
}

async function noteProvisioner(context: ControllerContext, claim: Claim, provisioner: string): Promise<Claim> {
  if (claim.metadata.annotations?.[storageProvisioner] === provisioner) return claim;
  return context.client.update(persistentvolumeclaims, {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: {
        ...claim.metadata.annotations,
        [storageProvisioner]: provisioner,
        [betaStorageProvisioner]: provisioner,
      },
    },
  });
}

/** Ties both ends together: first the volume, then the claim, each with its status. */
async function bind(context: ControllerContext, volume: Volume, claim: Claim): Promise<void> {
  const { namespace = '', name, uid, resourceVersion } = claim.metadata;
  let bound = volume;
  if (volume.spec?.claimRef?.uid !== uid) {
    const notes: Record<string, string> = volume.spec?.claimRef ? {} : { [boundByController]: 'yes' };
    bound = await context.client.update(persistentvolumes, {
      ...volume,
      metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...notes } },
      spec: {
        ...volume.spec,
        claimRef: {
          ...volume.spec?.claimRef,
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          namespace,
          name,
          uid,
          resourceVersion,
        },
      },
    });
  }
  await setPhase(context, bound, 'Bound');
  const notes = {
    [bindCompleted]: 'yes',
    ...(claim.spec?.volumeName ? {} : { [boundByController]: 'yes' }),
  };
  const taken = await context.client.update(persistentvolumeclaims, {
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...notes } },
    spec: { ...claim.spec, volumeName: bound.metadata.name },
  });
  await writeStatus(context, persistentvolumeclaims, taken, boundStatus(taken, bound));
}

function boundStatus(claim: Claim, volume: Volume): V1PersistentVolumeClaimStatus {
  return {
    ...claim.status,
    phase: 'Bound',
    accessModes: volume.spec?.accessModes ?? [],
    capacity:
      claim.status?.phase === 'Bound' && claim.status.capacity ? claim.status.capacity : (volume.spec?.capacity ?? {}),
  };
}

/** A claim that names its volume. */
async function bindRequested(context: ControllerContext, claim: Claim, name: string): Promise<Outcome> {
  const volume = context.informers.informer(persistentvolumes).get(name);
  const pending = (): Promise<unknown> =>
    writeStatus(context, persistentvolumeclaims, claim, { ...claim.status, phase: 'Pending' });
  if (!volume) {
    await pending();
    return { again: retryMs };
  }
  if (!volume.spec?.claimRef || isFor(volume, claim)) {
    const problem = mismatch(volume, claim);
    if (problem !== undefined) {
      const message = `Cannot bind to requested volume "${name}": ${problem}`;
      context.events.event(claim, 'Warning', 'VolumeMismatch', message);
      await pending();
      return undefined;
    }
    await bind(context, volume, claim);
    return undefined;
  }
  const message = `volume "${name}" already bound to a different claim.`;
  context.events.event(claim, 'Warning', 'FailedBinding', message);
  await pending();
  return { again: retryMs };
}

/** A claim that was bound once: it stays so, or has lost its volume. */
async function keepBound(context: ControllerContext, claim: Claim): Promise<Outcome> {
  const name = claim.spec?.volumeName;
  const lose = async (reason: string, message: string): Promise<undefined> => {
    if (claim.status?.phase === 'Lost') return undefined;
    const { accessModes: _a, capacity: _c, ...old } = claim.status ?? {};
    await writeStatus(context, persistentvolumeclaims, claim, { ...old, phase: 'Lost' });
    context.events.event(claim, 'Warning', reason, message);
    return undefined;
  };
  if (!name) {
    return lose('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  }
  const volume = context.informers.informer(persistentvolumes).get(name);
  if (!volume) return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  if (!volume.spec?.claimRef) {
    await bind(context, volume, claim);
    return undefined;
  }
  if (!isFor(volume, claim)) {
    return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
  }
  const grown = await expandLocal(context, claim, volume);
  await setPhase(context, grown, 'Bound');
  const status = boundStatus(claim, grown);
  const capacity = grown.metadata.annotations?.[provisionedBy] === localPathProvisioner && grown.spec?.capacity;
  await writeStatus(context, persistentvolumeclaims, claim, { ...status, ...(capacity && { capacity }) });
  return undefined;
}

async function syncVolume(name: string, context: ControllerContext, options: BinderOptions): Promise<Outcome> {
  const volume = context.informers.informer(persistentvolumes).get(name);
  if (!volume) return undefined;
  const reference = volume.spec?.claimRef;
  if (!reference?.uid) {
    await setPhase(context, volume, 'Available');
    return undefined;
  }
  const key = `${reference.namespace}/${reference.name}`;
  let claim: Claim | undefined = context.informers.informer(persistentvolumeclaims).get(key);
  if (claim?.metadata.uid !== reference.uid) claim = await askClaim(context, reference.namespace, reference.name);
  if (claim?.metadata.uid === reference.uid) {
    if (!claim.spec?.volumeName || claim.spec.volumeName === name) {
      context.enqueue(`claim:${key}`);
      return undefined;
    }
    return misused(context, volume, options);
  }
  if (volume.status?.phase !== 'Released' && volume.status?.phase !== 'Failed') {
    await setPhase(context, volume, 'Released');
    // The change of phase brings the volume back here.
    return undefined;
  }
  return reclaim(context, volume, options);
}

async function askClaim(
  context: ControllerContext,
  namespace: string | undefined,
  name: string | undefined,
): Promise<Claim | undefined> {
  try {
    return await context.client.get(persistentvolumeclaims, name ?? '', { namespace: namespace ?? '' });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
