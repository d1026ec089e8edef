import { pods } from '../../api/generated/resources.ts';
import type { V1LabelSelector, V1Pod } from '../../api/generated/types.ts';
import { formatSelector, requirementsOf, requirementsOfMap } from '../../api/label-selector.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import { complain, type Streams } from '../output.ts';
import { targetsOf } from './arguments.ts';
import type { Connection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { discover } from './mapper.ts';

interface WithSelector extends KubeObject {
  readonly spec?: { readonly selector?: V1LabelSelector | Readonly<Record<string, string>> };
}

/** The pod that `web`, `pod/web` or `deploy/web` means: of a workload the first that is running, as kubectl chooses; `streams` to say which. */
export async function podOf(connection: Connection, text: string, streams?: Streams): Promise<Live<V1Pod>> {
  const { client, namespace } = connection;
  if (!text.includes('/')) return client.get(pods, text, { namespace });
  const [target] = targetsOf(await discover(client), [text]);
  if (!target?.name) throw new KubectlError('name a pod, or a workload as TYPE/NAME');
  if (target.resource.plural === 'pods' && target.resource.group === '')
    return client.get(pods, target.name, { namespace });
  const workload = (await client.get(target.resource, target.name, { namespace })) as Live<WithSelector>;
  const selector = workload.spec?.selector;
  if (!selector) throw new KubectlError(`cannot get the logs from ${text}: selector is required`);
  const isSelector = (it: object): it is V1LabelSelector => 'matchLabels' in it || 'matchExpressions' in it;
  const requirements = (isSelector(selector) ? requirementsOf(selector) : requirementsOfMap(selector)) ?? [];
  const { items } = await client.list(pods, { namespace, labelSelector: formatSelector(requirements) });
  const best = [...items].sort(
    (a, b) => Number(b.status?.phase === 'Running') - Number(a.status?.phase === 'Running'),
  )[0];
  if (!best) throw new KubectlError(`no pods found for ${text}`);
  if (items.length > 1 && streams) complain(streams, `Found ${items.length} pods, using pod/${best.metadata.name}`);
  return best;
}
