import type { V1StatefulSet } from '../../../api/generated/types.ts';
import { claimClass } from './claim-lines.ts';
import { type Describer, heading, labelsAndAnnotations, selectorText } from './describer.ts';
import { ownEvents } from './events.ts';
import { goList, moment, type Page, pairs } from './page.ts';
import { podTemplate } from './pod-parts.ts';
import { podsStatus } from './pods-of.ts';

function claims(page: Page, templates: NonNullable<V1StatefulSet['spec']>['volumeClaimTemplates']): void {
  if (!templates?.length) {
    page.line(0, 'Volume Claims:', '<none>');
    return;
  }
  page.line(0, 'Volume Claims:');
  for (const claim of templates) {
    page.line(1, 'Name:', claim.metadata?.name);
    page.line(1, 'StorageClass:', claimClass(claim));
    page.list('Labels', pairs(claim.metadata?.labels), '  ', '  ');
    page.list('Annotations', pairs(claim.metadata?.annotations), '  ', '  ');
    page.line(1, 'Capacity:', claim.spec?.resources?.requests?.['storage'] ?? '<default>');
    page.line(1, 'Access Modes:', goList(claim.spec?.accessModes));
  }
}

export const describeStatefulSet: Describer<V1StatefulSet> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(
    page,
    metadata,
    ['CreationTimestamp', moment(metadata.creationTimestamp)],
    ['Selector', selectorText(spec?.selector)],
  );
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Replicas:', `${spec?.replicas ?? 0} desired | ${status?.replicas ?? 0} total`);
  page.line(0, 'Update Strategy:', spec?.updateStrategy?.type ?? '');
  const rolling = spec?.updateStrategy?.rollingUpdate;
  if (rolling?.partition !== undefined) {
    page.line(1, 'Partition:', rolling.partition);
    if (rolling.maxUnavailable !== undefined) page.line(1, 'MaxUnavailable:', rolling.maxUnavailable);
  }
  page.line(0, 'Pods Status:', await podsStatus(object, spec?.selector, around));
  podTemplate(page, spec?.template);
  claims(page, spec?.volumeClaimTemplates);
  await ownEvents(page, object, around);
};
