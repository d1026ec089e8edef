import type { V1Pod, V1Secret } from '../../api/generated/types.ts';
import { type KubeletContext, podEvent } from '../context.ts';

/** The pod's pull secrets that exist; those that do not are told by an event. Upstream: getPullSecretsForPod. */
export async function pullSecrets(context: KubeletContext, pod: V1Pod): Promise<readonly V1Secret[]> {
  const missing: string[] = [];
  const found: V1Secret[] = [];
  for (const { name } of pod.spec?.imagePullSecrets ?? []) {
    if (!name) continue;
    try {
      found.push(await context.objects.secret(pod.metadata?.namespace ?? '', name));
    } catch (error) {
      context.log.debug('cannot read a pull secret', { name, error });
      missing.push(name);
    }
  }
  if (missing.length > 0)
    podEvent(
      context,
      pod,
      'Warning',
      'FailedToRetrieveImagePullSecret',
      `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
    );
  return found;
}
