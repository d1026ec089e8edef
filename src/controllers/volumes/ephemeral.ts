import { persistentvolumeclaims, pods } from '../../api/generated/resources.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, watched } from '../../controller/controller.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { controllerKey, controllerOf, controllerReference } from '../support/owners.ts';

/** Makes the claims of generic ephemeral volumes. Upstream: pkg/controller/volume/ephemeral. */
export const ephemeralVolumeController: Controller = {
  name: 'ephemeral-volume-controller',
  eventSource: 'ephemeral_volume',
  watches: [
    watched({
      resource: pods,
      keys: (pod, { gone }) =>
        !gone && !pod.metadata.deletionTimestamp && pod.spec?.volumes?.some((it) => it.ephemeral) ? [keyOf(pod)] : [],
    }),
    watched({
      resource: persistentvolumeclaims,
      keys: (claim, { gone }) => (gone ? controllerKey(claim, pods) : []),
    }),
  ],
  access: [
    rule('', 'pods', read),
    rule('', 'pods/finalizers', 'update'),
    rule('', 'persistentvolumeclaims', `${read} create`),
    ...mayRecord,
  ],
  async reconcile(key, context) {
    const pod = context.informers.informer(pods).get(key);
    if (!pod || pod.metadata.deletionTimestamp) return undefined;
    const { namespace = '', name: podName, uid } = pod.metadata;
    for (const volume of pod.spec?.volumes ?? []) {
      if (!volume.ephemeral) continue;
      const name = `${podName}-${volume.name}`;
      const found = context.informers.informer(persistentvolumeclaims).get(`${namespace}/${name}`);
      if (found) {
        if (controllerOf(found)?.uid === uid) continue;
        throw new Error(`PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`);
      }
      const template = volume.ephemeral.volumeClaimTemplate;
      try {
        await context.client.create(persistentvolumeclaims, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: {
            name,
            namespace,
            ...(template?.metadata?.annotations && { annotations: template.metadata.annotations }),
            ...(template?.metadata?.labels && { labels: template.metadata.labels }),
            ownerReferences: [controllerReference(pods, pod)],
          },
          ...(template?.spec && { spec: template.spec }),
        });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `ephemeral volume controller failed to create PVC ${name}: ${why}`;
        context.events.event(pod, 'Warning', 'EphemeralVolumeCreateFailed', message);
        throw error;
      }
    }
    return undefined;
  },
};
