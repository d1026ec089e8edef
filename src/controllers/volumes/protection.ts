import { persistentvolumeclaims, persistentvolumes, pods } from '../../api/generated/resources.ts';
import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, type ControllerContext, watched } from '../../controller/controller.ts';
import { read, rule } from '../support/access.ts';
import { isPodTerminal } from '../support/pods.ts';
import { claimsOfPod } from './binder.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';
const byClaim = 'protection/claim';

/** Puts the finalizer on, or takes it off once the object is being deleted and `inUse` says no. */
async function protect<T extends KubeObject>(
  context: ControllerContext,
  resource: Resource<T>,
  object: Live<T>,
  finalizer: string,
  inUse: () => boolean,
): Promise<undefined> {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const has = finalizers.includes(finalizer);
  const remove = deletionTimestamp !== undefined && has && !inUse();
  const add = deletionTimestamp === undefined && !has;
  if (!remove && !add) return undefined;
  const next = add ? [...finalizers, finalizer] : finalizers.filter((it) => it !== finalizer);
  try {
    await context.client.update(resource, { ...object, metadata: { ...object.metadata, finalizers: next } });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
  return undefined;
}

/** Keeps a claim while a pod uses it. Upstream: pkg/controller/volume/pvcprotection. */
export const claimProtectionController: Controller = {
  name: 'pvc-protection-controller',
  watches: [
    watched({ resource: persistentvolumeclaims, keys: (claim, { gone }) => (gone ? [] : [keyOf(claim)]) }),
    watched({
      resource: pods,
      keys: (pod, { gone, old }) =>
        gone || (old && !isPodTerminal(old) && isPodTerminal(pod)) ? claimsOfPod(pod) : [],
    }),
  ],
  access: [rule('', 'persistentvolumeclaims', `${read} update`), rule('', 'pods', read)],
  start(context) {
    context.informers.informer(pods).addIndex(byClaim, claimsOfPod);
    return Promise.resolve();
  },
  async reconcile(key, context) {
    const claim = context.informers.informer(persistentvolumeclaims).get(key);
    if (!claim) return undefined;
    const inUse = (): boolean =>
      context.informers
        .informer(pods)
        .byIndex(byClaim, key)
        .some((pod) => !isPodTerminal(pod) && pod.spec?.nodeName !== undefined);
    return protect(context, persistentvolumeclaims, claim, claimFinalizer, inUse);
  },
};

/** Keeps a volume while it is bound. Upstream: pkg/controller/volume/pvprotection. */
export const volumeProtectionController: Controller = {
  name: 'pv-protection-controller',
  watches: [watched({ resource: persistentvolumes, keys: (it, { gone }) => (gone ? [] : [it.metadata.name]) })],
  access: [rule('', 'persistentvolumes', `${read} update`)],
  async reconcile(key, context) {
    const volume = context.informers.informer(persistentvolumes).get(key);
    if (!volume) return undefined;
    return protect(context, persistentvolumes, volume, volumeFinalizer, () => volume.status?.phase === 'Bound');
  },
};
