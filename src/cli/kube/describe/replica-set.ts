import type { V1ReplicaSet } from '../../../api/generated/types.ts';
import {
  controllerOf,
  type Describer,
  heading,
  labelsAndAnnotations,
  reasonConditions,
  selectorText,
} from './describer.ts';
import { ownEvents } from './events.ts';
import { podTemplate } from './pod-parts.ts';
import { podsStatus } from './pods-of.ts';

export const describeReplicaSet: Describer<V1ReplicaSet> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata, ['Selector', selectorText(spec?.selector, '<none>')]);
  labelsAndAnnotations(page, metadata);
  const controller = controllerOf(metadata);
  if (controller) page.line(0, 'Controlled By:', controller);
  page.line(0, 'Replicas:', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 0} desired`);
  page.line(0, 'Pods Status:', await podsStatus(object, spec?.selector, around));
  podTemplate(page, spec?.template);
  reasonConditions(page, status?.conditions);
  await ownEvents(page, object, around);
};
