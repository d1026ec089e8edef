import { nodes, pods } from '../../api/generated/resources.ts';
import { formatQuantity, quantityOfNano } from '../../api/quantity.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import { type Clock, rfc3339, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { nodeMetricsKind, podMetricsKind, type Usage } from '../../kinds/metrics/metrics-kinds.ts';
import type { ComputedResource } from '../computed.ts';
import type { KubeletDialer, ObjectReader } from '../contracts.ts';
import { type NodeReading, type Reading, scrapeNode } from './scrape.ts';

/** A reading may be this old, milliseconds, before the kubelets are asked again (metrics-server's --metric-resolution). */
const resolution = 15_000;
/** An older reading says nothing of the present rate. */
const oldest = 120_000;
/** A reading that misses a pod which runs is taken again when it is this old. */
const soon = 2_000;
/** Apart enough for a first rate when nobody has asked before. */
const firstGap = 1_000;
const patience = 10_000;
/** Kubelets asked side by side. */
const atOnce = 16;

interface Samples {
  readonly before: NodeReading | undefined;
  readonly now: NodeReading;
  readonly at: number;
}

/** What was used between two readings; undefined where they tell no rate. */
function usageBetween(
  before: Reading | undefined,
  now: Reading | undefined,
): { usage: Usage; seconds: number } | undefined {
  if (!before || !now || now.at <= before.at || now.cpu < before.cpu) return undefined;
  const cpu = Math.round(((now.cpu - before.cpu) * 1000) / (now.at - before.at));
  return {
    seconds: (now.at - before.at) / 1000,
    usage: {
      cpu: `${cpu === 0 ? '0' : formatQuantity(quantityOfNano(BigInt(cpu), 'DecimalSI'))}`,
      memory: `${Math.floor(now.memory / 1024)}Ki`,
    },
  };
}

const windowText = (seconds: number): string => `${Number(seconds.toFixed(3))}s`;

/**
 * metrics.k8s.io/v1beta1 as metrics-server serves it: what nodes and containers use, from the kubelets' /metrics/resource. The kubelets are
 * asked when somebody asks here, at most every 15 seconds; nothing runs in between.
 */
export function resourceMetrics(options: {
  readonly kubelets: KubeletDialer;
  readonly clock: Clock;
  readonly log: Logger;
}): readonly ComputedResource[] {
  const { kubelets, clock, log } = options;
  const samples = new Map<string, Samples>();
  let asking: Promise<void> | undefined;

  const scrape = async (name: string): Promise<NodeReading | undefined> => {
    const controller = new AbortController();
    const timer = clock.after(patience, () => controller.abort(), { background: true });
    try {
      return await scrapeNode(kubelets, name, clock, controller.signal);
    } catch (error) {
      log.debug('cannot read the metrics of a node', { node: name, error });
      return undefined;
    } finally {
      timer.cancel();
    }
  };

  /** True where the readings show each of these pods twice. */
  const complete = (known: Samples, running: readonly string[]): boolean =>
    running.every((key) => known.now.pods.has(key) && known.before?.pods.has(key));

  const refreshNode = async (name: string, running: readonly string[]): Promise<void> => {
    const known = samples.get(name);
    if (known && clock.now() - known.at < (complete(known, running) ? resolution : soon)) return;
    let before = known && clock.now() - known.at < oldest ? known.now : undefined;
    if (!before) {
      before = await scrape(name);
      if (before) await sleep(clock, firstGap);
    }
    const now = before && (await scrape(name));
    if (now) samples.set(name, { before, now, at: clock.now() });
    else samples.delete(name);
  };

  const refresh = async (reader: ObjectReader): Promise<void> => {
    const names = reader.list(nodes).map((it) => it.metadata.name);
    for (const name of samples.keys()) if (!names.includes(name)) samples.delete(name);
    const running = new Map<string, string[]>();
    for (const pod of reader.list(pods)) {
      const node = pod.spec?.nodeName;
      if (node === undefined || !pod.status?.containerStatuses?.some((it) => it.state?.running)) continue;
      running.set(node, [...(running.get(node) ?? []), `${pod.metadata.namespace}/${pod.metadata.name}`]);
    }
    const queue = [...names];
    const work = async (): Promise<void> => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop())
        await refreshNode(name, running.get(name) ?? []);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, names.length) }, work));
  };
  const upToDate = (reader: ObjectReader): Promise<void> => {
    asking ??= refresh(reader).finally(() => {
      asking = undefined;
    });
    return asking;
  };

  const objectOf = (kind: string, of: Live, at: number, seconds: number, rest: object): Live =>
    ({
      kind,
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: {
        name: of.metadata.name,
        ...(of.metadata.namespace !== undefined && { namespace: of.metadata.namespace }),
        creationTimestamp: rfc3339(clock.now()),
        ...(of.metadata.labels && { labels: of.metadata.labels }),
      },
      timestamp: rfc3339(at),
      window: windowText(seconds),
      ...rest,
    }) as KubeObject as Live;

  return [
    {
      kind: nodeMetricsKind,
      called: 'nodemetrics',
      async list(_namespace, { reader }) {
        await upToDate(reader);
        return reader.list(nodes).flatMap((node) => {
          const it = samples.get(node.metadata.name);
          const used = usageBetween(it?.before?.node, it?.now.node);
          return used
            ? [objectOf('NodeMetrics', node, it?.now.node?.at ?? 0, used.seconds, { usage: used.usage })]
            : [];
        });
      },
    },
    {
      kind: podMetricsKind,
      called: 'podmetrics',
      async list(namespace, { reader }) {
        await upToDate(reader);
        return reader.list(pods, namespace).flatMap((pod) => {
          const it = samples.get(pod.spec?.nodeName ?? '');
          const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
          const now = it?.now.pods.get(key);
          if (!it || !now) return [];
          let seconds = 0;
          let at = 0;
          const containers = [...now].map(([name, reading]) => {
            const used = usageBetween(it.before?.pods.get(key)?.get(name), reading);
            seconds = Math.max(seconds, used?.seconds ?? 0);
            at = Math.max(at, reading.at);
            return used && { name, usage: used.usage };
          });
          // As metrics-server: a pod is told of once all of its containers are known.
          if (containers.some((one) => one === undefined)) return [];
          return [objectOf('PodMetrics', pod, at, seconds, { containers })];
        });
      },
    },
  ];
}
