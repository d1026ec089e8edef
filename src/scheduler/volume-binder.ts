import { persistentvolumeclaims, persistentvolumes } from '../api/generated/resources.ts';
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../api/generated/types.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { keyOf } from '../client/informer.ts';
import type { LiveWorld } from './live-world.ts';
import { isBound, selectedNode, type VolumePlan } from './volumes.ts';

/** How long a pod's volumes may take to be bound, milliseconds (VolumeBindingArgs.bindTimeoutSeconds). */
const bindTimeout = 600_000;

/** Speaks for the plan's volumes, so that the next cycle does not give them away. Returns how to take it back. */
export function assumeVolumes(plan: VolumePlan, node: string, world: LiveWorld): () => void {
  for (const { claim, volume } of plan.bindings) world.assumeVolume(claimed(volume, claim));
  for (const claim of plan.provisions) world.assumeClaim(chosen(claim, node));
  return () => {
    for (const { volume } of plan.bindings) world.forgetVolume(volume.metadata?.name ?? '');
    for (const claim of plan.provisions) world.forgetClaim(keyOf(claim));
  };
}

const chosen = (claim: V1PersistentVolumeClaim, node: string): V1PersistentVolumeClaim => ({
  ...claim,
  metadata: { ...claim.metadata, annotations: { ...claim.metadata?.annotations, [selectedNode]: node } },
});

const claimed = (volume: V1PersistentVolume, claim: V1PersistentVolumeClaim): V1PersistentVolume => ({
  ...volume,
  metadata: {
    ...volume.metadata,
    annotations: { ...volume.metadata?.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' },
  },
  spec: {
    ...volume.spec,
    claimRef: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: claim.metadata?.namespace ?? '',
      name: claim.metadata?.name ?? '',
      uid: claim.metadata?.uid ?? '',
      resourceVersion: claim.metadata?.resourceVersion ?? '',
    },
  },
});

/**
 * Writes the plan to the API and waits until the volume controller and the provisioner have bound every claim. Throws when the
 * API refuses, a claim goes away, the provisioner gives the node up, or time runs out.
 */
export async function bindVolumes(
  plan: VolumePlan,
  node: string,
  tools: { readonly client: Client; readonly world: LiveWorld; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { client, world, clock, signal } = tools;
  const keys = [...plan.bindings.map((it) => keyOf(it.claim)), ...plan.provisions.map((it) => keyOf(it))];
  if (keys.length === 0) return;
  for (const { claim, volume } of plan.bindings) {
    await client.update(persistentvolumes, claimed(volume, claim), { signal });
  }
  const provisioned = new Set<string>();
  for (const claim of plan.provisions) {
    provisioned.add(keyOf(claim));
    if (claim.metadata?.annotations?.[selectedNode] === node) continue;
    await client.update(persistentvolumeclaims, chosen(claim, node), { signal });
  }
  await new Promise<void>((resolve, reject) => {
    let stop: (() => void) | undefined;
    let seenChosen = false;
    const end = (error?: Error): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      stop?.();
      stop = undefined;
      if (error) reject(error);
      else resolve();
    };
    const check = (): void => {
      let open = 0;
      for (const key of keys) {
        const claim = world.claims.get(key);
        if (!claim || claim.metadata.deletionTimestamp) {
          end(new Error(`binding volumes: pvc "${key}" is being deleted or gone`));
          return;
        }
        if (isBound(claim)) continue;
        open++;
        const annotated = claim.metadata.annotations?.[selectedNode];
        if (annotated === node) seenChosen = true;
        else if (provisioned.has(key) && seenChosen) {
          end(new Error(`binding volumes: provisioning failed for PVC "${claim.metadata.name}"`));
          return;
        }
      }
      if (open === 0) end();
    };
    const onAbort = (): void => end(new Error('binding volumes: context canceled'));
    const timer = clock.after(bindTimeout, () => end(new Error('binding volumes: context deadline exceeded')), {
      background: true,
    });
    signal.addEventListener('abort', onAbort, { once: true });
    stop = world.claims.subscribe({ update: check, remove: check });
    check();
  });
}
