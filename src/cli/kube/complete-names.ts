import { namespaces, pods } from '../../api/generated/resources.ts';
import { hasReason } from '../../api/status.ts';
import type { Connection } from './connect.ts';
import { discover, type Mapper } from './mapper.ts';

interface Name {
  readonly word: string;
  readonly about?: string;
}

/** Commands whose first word is a pod. */
const podCommands = new Set(['logs', 'exec', 'attach', 'port-forward', 'trace']);
/** Names beyond this many help nobody to choose, and cost the server. */
const most = 500;

function types(mapper: Mapper): readonly Name[] {
  const seen = new Set<string>();
  return mapper.all.flatMap(({ plural, group, verbs = [] }) => {
    const word = seen.has(plural) && group ? `${plural}.${group}` : plural;
    if (!verbs.includes('list') || seen.has(word)) return [];
    seen.add(word);
    return [{ word }];
  });
}

/** Names that fit next on the line: namespaces, pods, resource types, or objects of the type that was named. */
export async function completeNames(
  connection: Connection,
  what: 'names' | 'namespaces',
  command: string,
  operands: readonly string[],
): Promise<readonly Name[]> {
  const { client, namespace } = connection;
  if (what === 'namespaces') {
    const { items } = await client.list(namespaces, { limit: most });
    return items.map((item) => ({ word: item.metadata.name }));
  }
  if (podCommands.has(command)) {
    if (operands.length > 0) return [];
    const { items } = await client.list(pods, { namespace, limit: most });
    return items.map((item) => ({ word: command === 'trace' ? `pod/${item.metadata.name}` : item.metadata.name }));
  }
  const mapper = await discover(client);
  const [type] = operands;
  if (type === undefined) return types(mapper);
  const resource = mapper.byName(type.split('/', 1)[0] ?? type);
  try {
    const { items } = await client.list(resource, { ...(resource.namespaced && { namespace }), limit: most });
    const taken = new Set(operands.slice(1));
    return items.filter((item) => !taken.has(item.metadata.name)).map((item) => ({ word: item.metadata.name }));
  } catch (error) {
    if (hasReason(error, 'Forbidden')) return [];
    throw error;
  }
}
