import { text } from 'node:stream/consumers';
import type { Clock } from '../../base/clock.ts';
import { askBackend } from '../connect/backend.ts';
import type { KubeletDialer } from '../contracts.ts';

/** One reading of counters and gauges. */
export interface Reading {
  /** Cumulative CPU time, nanoseconds. */
  readonly cpu: number;
  /** Bytes in the working set. */
  readonly memory: number;
  /** When it was taken, epoch milliseconds. */
  readonly at: number;
}

/** What one kubelet said at one time. Containers by `namespace/pod`, then by name. */
export interface NodeReading {
  readonly node: Reading | undefined;
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Reading>>;
}

const line = /^(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/;
const label = (labels: string, name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';

/** Reads the kubelet's /metrics/resource (Prometheus' text format). `now` stands in where a line has no time of its own. */
export function parseResourceMetrics(body: string, now: number): NodeReading {
  const readings = new Map<string, { cpu?: number; memory?: number; at: number }>();
  const put = (key: string, field: 'cpu' | 'memory', value: number, at: number): void => {
    const reading = readings.get(key) ?? { at };
    reading[field] = value;
    // The rate of a counter is over the counter's own time.
    if (field === 'cpu') reading.at = at;
    readings.set(key, reading);
  };
  for (const one of body.split('\n')) {
    const match = line.exec(one);
    if (!match) continue;
    const [, name = '', labels = '', value = '', time] = match;
    const at = time === undefined ? now : Number(time);
    const container = (): string =>
      `${label(labels, 'namespace')}/${label(labels, 'pod')}/${label(labels, 'container')}`;
    if (name === 'node_cpu_usage_seconds_total') put('', 'cpu', Number(value) * 1e9, at);
    else if (name === 'node_memory_working_set_bytes') put('', 'memory', Number(value), at);
    else if (name === 'container_cpu_usage_seconds_total') put(container(), 'cpu', Number(value) * 1e9, at);
    else if (name === 'container_memory_working_set_bytes') put(container(), 'memory', Number(value), at);
  }
  const pods = new Map<string, Map<string, Reading>>();
  let node: Reading | undefined;
  for (const [key, { cpu, memory, at }] of readings) {
    if (cpu === undefined || memory === undefined) continue;
    const reading = { cpu, memory, at };
    if (key === '') {
      node = reading;
      continue;
    }
    const cut = key.lastIndexOf('/');
    const pod = pods.get(key.slice(0, cut)) ?? new Map<string, Reading>();
    pod.set(key.slice(cut + 1), reading);
    pods.set(key.slice(0, cut), pod);
  }
  return { node, pods };
}

/** Asks a node's kubelet. Rejects where it cannot be reached or does not answer with 200. */
export async function scrapeNode(
  kubelets: KubeletDialer,
  nodeName: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<NodeReading> {
  const backend = await kubelets.dial(nodeName);
  const answer = await askBackend(backend, { method: 'GET', path: '/metrics/resource', headers: {}, signal });
  const body = await text(answer);
  backend.socket.destroy();
  if (answer.statusCode !== 200) throw new Error(`the kubelet answered with ${answer.statusCode}`);
  return parseResourceMetrics(body, clock.now());
}
