import { nodes } from '../../api/generated/resources.ts';
import {
  addQuantity,
  milliValueOf,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  wholeValueOf,
} from '../../api/quantity.ts';
import { hasReason } from '../../api/status.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { alignColumns } from './print-table.ts';

interface TopFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly containers?: boolean;
  readonly headers: boolean;
  readonly sortBy?: string;
}

interface Usage {
  readonly cpu?: string;
  readonly memory?: string;
}
interface Metrics {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly usage?: Usage;
  readonly containers?: readonly { readonly name: string; readonly usage: Usage }[];
}

/** What the resource metrics API tells; throws kubectl's word where there is none. */
async function metricsOf({ client }: Connection, path: string): Promise<readonly Metrics[]> {
  try {
    const list = (await client.json({ path: `/apis/metrics.k8s.io/v1beta1/${path}` })) as { items: readonly Metrics[] };
    return list.items;
  } catch (error) {
    if (hasReason(error, 'NotFound') || hasReason(error, 'ServiceUnavailable'))
      throw new KubectlError('Metrics API not available');
    throw error;
  }
}

const cpuText = (amount: string | undefined): string => `${milliValueOf(amount)}m`;
const memoryText = (amount: string | undefined): string => `${Math.trunc(wholeValueOf(amount) / 1024 ** 2)}Mi`;
const share = (used: number, whole: number): string => `${whole === 0 ? 0 : Math.trunc((used / whole) * 100)}%`;

function sum(all: readonly Usage[]): Required<Usage> {
  const total = (key: 'cpu' | 'memory'): string =>
    all.map((one) => parseQuantity(one[key] ?? '0')).reduce(addQuantity, parseQuantity('0')).text;
  return { cpu: total('cpu'), memory: total('memory') };
}

interface Row {
  readonly usage: Usage;
  readonly cells: readonly string[];
}

function sorted(rows: readonly Row[], by: string | undefined): readonly Row[] {
  if (by === undefined) return rows;
  if (by !== 'cpu' && by !== 'memory') throw new KubectlError('--sort-by accepts only cpu or memory');
  const measure = (row: Row): number => {
    const amount = parseQuantity(row.usage[by] ?? '0');
    return by === 'cpu' ? quantityMilliValue(amount) : quantityValue(amount);
  };
  return [...rows].sort((a, b) => measure(b) - measure(a));
}

function print(head: readonly string[], rows: readonly Row[], flags: TopFlags, streams: Streams): void {
  const cells = sorted(rows, flags.sortBy).map((row) => row.cells);
  for (const line of alignColumns(flags.headers ? [head, ...cells] : cells)) say(streams, line);
}

async function topNodes(
  connection: Connection,
  name: string | undefined,
  flags: TopFlags,
  streams: Streams,
): Promise<void> {
  const query = flags.selector ? `?labelSelector=${encodeURIComponent(flags.selector)}` : '';
  const metrics = await metricsOf(connection, `nodes${query}`);
  const { items } = await connection.client.list(nodes, flags.selector ? { labelSelector: flags.selector } : {});
  const rows = metrics
    .filter((one) => name === undefined || one.metadata.name === name)
    .map(({ metadata, usage = {} }) => {
      const allocatable = items.find((node) => node.metadata.name === metadata.name)?.status?.allocatable ?? {};
      const cpu = share(milliValueOf(usage.cpu), milliValueOf(allocatable['cpu']));
      const memory = share(wholeValueOf(usage.memory), wholeValueOf(allocatable['memory']));
      return { usage, cells: [metadata.name, cpuText(usage.cpu), cpu, memoryText(usage.memory), memory] };
    });
  if (rows.length === 0) throw new KubectlError('metrics not available yet');
  print(['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'], rows, flags, streams);
}

async function topPods(
  connection: Connection,
  name: string | undefined,
  flags: TopFlags,
  streams: Streams,
): Promise<void> {
  const scope = flags.allNamespaces ? 'pods' : `namespaces/${connection.namespace}/pods`;
  const query = flags.selector ? `?labelSelector=${encodeURIComponent(flags.selector)}` : '';
  const metrics = (await metricsOf(connection, scope + query)).filter(
    (one) => name === undefined || one.metadata.name === name,
  );
  if (metrics.length === 0) {
    complain(
      streams,
      flags.allNamespaces ? 'No resources found' : `No resources found in ${connection.namespace} namespace.`,
    );
    return;
  }
  const rows = metrics.flatMap(({ metadata, containers = [] }): readonly Row[] => {
    const before = flags.allNamespaces ? [metadata.namespace ?? ''] : [];
    const whole = sum(containers.map((one) => one.usage));
    if (!flags.containers)
      return [{ usage: whole, cells: [...before, metadata.name, cpuText(whole.cpu), memoryText(whole.memory)] }];
    return containers.map((one) => ({
      usage: one.usage,
      cells: [...before, metadata.name, one.name, cpuText(one.usage.cpu), memoryText(one.usage.memory)],
    }));
  });
  const head = [
    ...(flags.allNamespaces ? ['NAMESPACE'] : []),
    ...(flags.containers ? ['POD'] : []),
    'NAME',
    'CPU(cores)',
    'MEMORY(bytes)',
  ];
  print(head, rows, flags, streams);
}

/** `coracle top nodes|pods`: as kubectl top. */
export const topCommand: CommandBuilder = (program, streams) => {
  const top = program.command('top').description('what nodes and pods use (as kubectl top)');
  for (const [name, alias, act] of [
    ['nodes', 'node', topNodes],
    ['pods', 'pod', topPods],
  ] as const) {
    const command = withConnection(top.command(name))
      .alias(alias)
      .description(`CPU and memory of ${name}`)
      .argument('[name]')
      .option('-l, --selector <selector>', 'by labels')
      .option('--no-headers', 'leave the headings out')
      .option('--sort-by <what>', 'cpu or memory');
    if (name === 'pods')
      command.option('-A, --all-namespaces', 'in all namespaces').option('--containers', 'each container for itself');
    command.action(async (target: string | undefined, flags: TopFlags) => {
      const connection = await connect(flags, streams);
      try {
        await act(connection, target, flags, streams);
      } finally {
        connection.client.close();
      }
    });
  }
};
