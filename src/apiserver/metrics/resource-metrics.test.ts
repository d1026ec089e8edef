import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Live } from '../../api/resource.ts';
import { systemClock } from '../../base/clock.ts';
import { duplexPair } from '../../base/duplex-pair.ts';
import { silentLogger } from '../../base/log.ts';
import type { ServerContext } from '../contracts.ts';
import { resourceMetrics } from './resource-metrics.ts';
import { parseResourceMetrics } from './scrape.ts';

const body = (cpuSeconds: number, at: number): string => `# HELP x y
node_cpu_usage_seconds_total ${cpuSeconds * 2} ${at}
node_memory_working_set_bytes 1.048576e+06 ${at}
container_cpu_usage_seconds_total{container="app",namespace="ns",pod="web"} ${cpuSeconds} ${at}
container_memory_working_set_bytes{container="app",namespace="ns",pod="web"} 4096 ${at}
pod_cpu_usage_seconds_total{namespace="ns",pod="web"} 9 ${at}
`;

it('reads the kubelet’s resource metrics', () => {
  const reading = parseResourceMetrics(body(1.5, 1000), 5);
  expect(reading.node).toEqual({ cpu: 3e9, memory: 1_048_576, at: 1000 });
  expect(reading.pods.get('ns/web')?.get('app')).toEqual({ cpu: 1.5e9, memory: 4096, at: 1000 });
  expect(parseResourceMetrics('garbage {\n', 5)).toEqual({ node: undefined, pods: new Map() });
});

describe('metrics.k8s.io', () => {
  const node = { metadata: { name: 'n1', labels: { zone: 'a' } } };
  const web = {
    metadata: { name: 'web', namespace: 'ns', labels: { app: 'web' } },
    spec: { nodeName: 'n1' },
    status: { containerStatuses: [{ name: 'app', state: { running: {} } }] },
  };
  const setup = (): { readonly lists: readonly ((ns?: string) => Promise<readonly Live[]>)[]; asked: () => number } => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end(body(asked * 0.25, asked * 1000));
    });
    const kubelets = {
      dial: async (name: string) => {
        if (name !== 'n1') throw new Error('no such host');
        const [near, far] = duplexPair();
        server.emit('connection', far);
        return { socket: near, host: name, headers: {} };
      },
    };
    const context = {
      reader: {
        list: (resource: { readonly plural: string }, namespace?: string) =>
          resource.plural === 'nodes'
            ? [node, { metadata: { name: 'gone' } }]
            : namespace === undefined || namespace === 'ns'
              ? [web]
              : [],
      },
    } as unknown as ServerContext;
    const all = resourceMetrics({ kubelets, clock: systemClock, log: silentLogger });
    return { lists: all.map((it) => (ns) => it.list(ns, context)), asked: () => asked };
  };

  it('tells rates over the time between two readings, and asks no kubelet twice for one answer', async () => {
    const { lists, asked } = setup();
    const [nodeList, podList] = lists;
    expect(await nodeList?.()).toMatchObject([
      {
        kind: 'NodeMetrics',
        metadata: { name: 'n1', labels: { zone: 'a' } },
        timestamp: '1970-01-01T00:00:02Z',
        window: '1s',
        usage: { cpu: '500m', memory: '1024Ki' },
      },
    ]);
    expect(asked()).toBe(2);
    expect(await podList?.('ns')).toMatchObject([
      {
        kind: 'PodMetrics',
        metadata: { name: 'web', namespace: 'ns', labels: { app: 'web' } },
        containers: [{ name: 'app', usage: { cpu: '250m', memory: '4Ki' } }],
      },
    ]);
    expect(await podList?.('other')).toEqual([]);
    expect(asked()).toBe(2);
  });
});
