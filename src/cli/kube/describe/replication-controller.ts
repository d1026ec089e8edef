import type { V1ReplicationController } from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations, reasonConditions } from './describer.ts';
import { ownEvents } from './events.ts';
import { inline } from './page.ts';
import { podTemplate } from './pod-parts.ts';
import { podsStatus } from './pods-of.ts';

export const describeReplicationController: Describer<V1ReplicationController> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata, ['Selector', inline(spec?.selector)]);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Replicas:', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 0} desired`);
  page.line(0, 'Pods Status:', await podsStatus(object, { matchLabels: spec?.selector ?? {} }, around));
  podTemplate(page, spec?.template);
  reasonConditions(page, status?.conditions);
  await ownEvents(page, object, around);
};
