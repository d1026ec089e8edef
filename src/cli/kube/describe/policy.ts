import type { V1PodDisruptionBudget, V1PriorityClass } from '../../../api/generated/types.ts';
import { type Describer, heading, selectorText } from './describer.ts';
import { ownEvents } from './events.ts';
import { inline } from './page.ts';

export const describePodDisruptionBudget: Describer<V1PodDisruptionBudget> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata);
  if (spec?.minAvailable !== undefined) page.line(0, 'Min available:', spec.minAvailable);
  else if (spec?.maxUnavailable !== undefined) page.line(0, 'Max unavailable:', spec.maxUnavailable);
  page.line(0, 'Selector:', spec?.selector ? selectorText(spec.selector, '<none>') : '<unset>');
  page.line(0, 'Status:');
  page.line(2, 'Allowed disruptions:', status?.disruptionsAllowed ?? 0);
  page.line(2, 'Current:', status?.currentHealthy ?? 0);
  page.line(2, 'Desired:', status?.desiredHealthy ?? 0);
  page.line(2, 'Total:', status?.expectedPods ?? 0);
  await ownEvents(page, object, around);
};

export const describePriorityClass: Describer<V1PriorityClass> = async (page, object, around) => {
  page.line(0, 'Name:', object.metadata.name);
  page.line(0, 'Value:', object.value);
  page.line(0, 'GlobalDefault:', object.globalDefault === true);
  page.line(0, 'PreemptionPolicy:', object.preemptionPolicy ?? '');
  page.line(0, 'Description:', object.description ?? '');
  page.line(0, 'Annotations:', inline(object.metadata.annotations));
  await ownEvents(page, object, around);
};
