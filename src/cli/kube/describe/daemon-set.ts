import type { V1DaemonSet } from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations, selectorText } from './describer.ts';
import { ownEvents } from './events.ts';
import { inline } from './page.ts';
import { podTemplate } from './pod-parts.ts';
import { podsStatus } from './pods-of.ts';

export const describeDaemonSet: Describer<V1DaemonSet> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(
    page,
    metadata,
    ['Selector', selectorText(spec?.selector)],
    ['Node-Selector', inline(spec?.template.spec?.nodeSelector)],
  );
  labelsAndAnnotations(page, metadata);
  page.line(0, `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`);
  page.line(0, `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`);
  page.line(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`);
  page.line(0, `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`);
  page.line(0, `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`);
  page.line(0, 'Pods Status:', await podsStatus(object, spec?.selector, around));
  podTemplate(page, spec?.template);
  await ownEvents(page, object, around);
};
