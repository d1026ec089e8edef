import { replicasets } from '../../../api/generated/resources.ts';
import type { V1Deployment, V1PodTemplateSpec, V1ReplicaSet } from '../../../api/generated/types.ts';
import { formatSelector, requirementsOf } from '../../../api/label-selector.ts';
import type { Live } from '../../../api/resource.ts';
import { semanticEqual } from '../../../kinds/semantic-equal.ts';
import { type Describer, heading, labelsAndAnnotations, reasonConditions, selectorText } from './describer.ts';
import { ownEvents } from './events.ts';
import { moment } from './page.ts';
import { podTemplate } from './pod-parts.ts';

const withoutHash = (template: V1PodTemplateSpec | undefined): unknown => {
  const { 'pod-template-hash': _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
};

const setsText = (sets: readonly V1ReplicaSet[]): string =>
  sets
    .map((one) => `${one.metadata?.name} (${one.status?.replicas ?? 0}/${one.spec?.replicas ?? 0} replicas created)`)
    .join(', ') || '<none>';

export const describeDeployment: Describer<V1Deployment> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata, ['CreationTimestamp', moment(metadata.creationTimestamp)]);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Selector:', selectorText(spec?.selector));
  page.line(
    0,
    'Replicas:',
    `${spec?.replicas ?? 0} desired | ${status?.updatedReplicas ?? 0} updated | ${status?.replicas ?? 0} total | ${status?.availableReplicas ?? 0} available | ${status?.unavailableReplicas ?? 0} unavailable`,
  );
  page.line(0, 'StrategyType:', spec?.strategy?.type ?? '');
  page.line(0, 'MinReadySeconds:', spec?.minReadySeconds ?? 0);
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling) {
    const text = `${rolling.maxUnavailable ?? 0} max unavailable, ${rolling.maxSurge ?? 0} max surge`;
    page.line(0, 'RollingUpdateStrategy:', text);
  }
  podTemplate(page, spec?.template);
  reasonConditions(page, status?.conditions);
  const { items } = await around.client.list(replicasets, {
    ...(metadata.namespace && { namespace: metadata.namespace }),
    labelSelector: formatSelector(requirementsOf(spec?.selector) ?? []),
  });
  const own = items.filter((set) =>
    set.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === metadata.uid),
  );
  const age = (set: Live<V1ReplicaSet>): string => set.metadata.creationTimestamp;
  const current = [...own]
    .sort((a, b) => (age(a) < age(b) ? -1 : Number(age(a) > age(b))))
    .find((set) => semanticEqual(withoutHash(set.spec?.template), withoutHash(spec?.template)));
  if (own.length > 0) {
    page.line(0, 'OldReplicaSets:', setsText(own.filter((set) => set !== current)));
    page.line(0, 'NewReplicaSet:', setsText(current ? [current] : []));
  }
  await ownEvents(page, object, around);
};
