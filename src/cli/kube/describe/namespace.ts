import { limitranges, resourcequotas } from '../../../api/generated/resources.ts';
import type { V1Namespace } from '../../../api/generated/types.ts';
import { type Describer, labelsAndAnnotations } from './describer.ts';
import { namespaceLimits, namespaceQuotas } from './limits.ts';
import { timedConditions } from './timed-conditions.ts';

export const describeNamespace: Describer<V1Namespace> = async (page, { metadata, status }, { client }) => {
  page.line(0, 'Name:', metadata.name);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Status:', status?.phase ?? '');
  timedConditions(page, status?.conditions);
  const [quotas, ranges] = await Promise.all([
    client.list(resourcequotas, { namespace: metadata.name }),
    client.list(limitranges, { namespace: metadata.name }),
  ]);
  page.line(0, '');
  namespaceQuotas(page, quotas.items);
  page.line(0, '');
  namespaceLimits(page, ranges.items);
};
