import type { V1IPAddress, V1ServiceCIDR } from '../../../api/generated/types.ts';
import { type Describer, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import { timedConditions } from './timed-conditions.ts';

export const describeServiceCidr: Describer<V1ServiceCIDR> = async (page, object, around) => {
  page.line(0, 'Name:', object.metadata.name);
  labelsAndAnnotations(page, object.metadata);
  page.line(0, 'CIDRs:', (object.spec?.cidrs ?? []).join(', '));
  if (object.status?.conditions?.length) page.line(0, 'Status:');
  timedConditions(page, object.status?.conditions);
  await ownEvents(page, object, around);
};

export const describeIpAddress: Describer<V1IPAddress> = async (page, object, around) => {
  page.line(0, 'Name:', object.metadata.name);
  labelsAndAnnotations(page, object.metadata);
  const parent = object.spec?.parentRef;
  if (parent) {
    page.line(0, 'Parent Reference:');
    page.line(1, 'Group:', parent.group ?? '');
    page.line(1, 'Resource:', parent.resource ?? '');
    page.line(1, 'Namespace:', parent.namespace ?? '');
    page.line(1, 'Name:', parent.name ?? '');
  }
  await ownEvents(page, object, around);
};
