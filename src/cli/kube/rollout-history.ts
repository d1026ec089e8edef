import { controllerrevisions, replicasets } from '../../api/generated/resources.ts';
import type { V1LabelSelector, V1PodTemplateSpec } from '../../api/generated/types.ts';
import { formatSelector, requirementsOf } from '../../api/label-selector.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import type { Connection } from './connect.ts';
import { KubectlError } from './errors.ts';

/** One state that a workload was in. */
export interface Revision {
  readonly number: number;
  readonly cause: string;
  readonly template: V1PodTemplateSpec;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Workload extends KubeObject {
  readonly spec?: { readonly selector?: V1LabelSelector; readonly template?: V1PodTemplateSpec };
}

const cause = 'kubernetes.io/change-cause';
const revision = 'deployment.kubernetes.io/revision';
const ownedBy =
  (uid: string) =>
  (object: Live): boolean =>
    object.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid) ?? false;

/** What a ControllerRevision's data keeps: a patch that restores the template. */
const templateIn = (data: unknown): V1PodTemplateSpec => {
  const { spec } = data as { readonly spec?: { readonly template?: V1PodTemplateSpec & { $patch?: string } } };
  const { $patch: _, ...template } = spec?.template ?? {};
  return template;
};

/** The revisions of a Deployment, StatefulSet or DaemonSet, the oldest first. */
export async function revisionsOf(
  { client }: Connection,
  kind: string,
  workload: Live<Workload>,
): Promise<readonly Revision[]> {
  const { namespace = '', uid } = workload.metadata;
  const labelSelector = formatSelector(requirementsOf(workload.spec?.selector) ?? []);
  if (kind === 'Deployment') {
    const { items } = await client.list(replicasets, { namespace, labelSelector });
    return items
      .filter(ownedBy(uid))
      .map(({ metadata, spec }) => ({
        number: Number(metadata.annotations?.[revision] ?? 0),
        cause: metadata.annotations?.[cause] ?? '',
        template: spec?.template ?? {},
        annotations: metadata.annotations ?? {},
      }))
      .filter((one) => one.number > 0)
      .sort((a, b) => a.number - b.number);
  }
  if (kind !== 'StatefulSet' && kind !== 'DaemonSet')
    throw new KubectlError(`no history viewer has been implemented for "${kind}"`);
  const { items } = await client.list(controllerrevisions, { namespace, labelSelector });
  return items
    .filter(ownedBy(uid))
    .map(({ metadata, revision: number, data }) => ({
      number,
      cause: metadata.annotations?.[cause] ?? '',
      template: templateIn(data),
      annotations: metadata.annotations ?? {},
    }))
    .sort((a, b) => a.number - b.number);
}
