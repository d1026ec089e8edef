import { nodes, pods } from '../src/api/generated/resources.ts';
import type { V1Pod } from '../src/api/generated/types.ts';
import type { Live } from '../src/api/resource.ts';
import { noSpans } from '../src/api/trace.ts';
import { rfc3339, systemClock } from '../src/base/clock.ts';
import { startLifetime } from '../src/base/lifetime.ts';
import { silentLogger } from '../src/base/log.ts';
import { seededRandom } from '../src/base/random.ts';
import type { Client } from '../src/client/client.ts';
import type { EventRecorder } from '../src/client/event-recorder.ts';
import { inProcessClient } from '../src/client/in-process-client.ts';
import type { InformerSet } from '../src/client/informer.ts';
import { createInformers } from '../src/client/informers.ts';
import type { Controller } from '../src/controller/controller.ts';
import { type RunningControllers, runControllers } from '../src/controller/engine.ts';
import { createTestServer, type TestServer, type TestServerOptions } from './test-server.ts';

export interface Said {
  readonly about: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export interface Harness {
  readonly server: TestServer;
  readonly client: Client;
  readonly informers: InformerSet;
  readonly running: RunningControllers;
  readonly events: readonly Said[];
  /** Resolves once the condition holds; fails after five seconds. */
  until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
  /** Decides what becomes of a pod: default Running and Ready at once. */
  kubelet: { fate: (pod: Live<V1Pod>) => V1Pod['status'] | undefined };
  end(): Promise<void>;
}

/** Controllers against a real API server in memory, and a kubelet that only writes statuses. */
export async function startHarness(
  controllers: readonly Controller[],
  options: TestServerOptions = {},
): Promise<Harness> {
  const clock = options.clock ?? systemClock;
  const server = await createTestServer(options);
  const lifetime = startLifetime(() => undefined);
  const client = inProcessClient({ handler: server.handler, user: server.user, userAgent: 'test' });
  const log = silentLogger;
  const informers = createInformers({ client, clock, log, signal: lifetime.signal });
  const events: Said[] = [];
  const recorder: EventRecorder = {
    event(object, type, reason, message) {
      events.push({ about: `${object.kind}/${object.metadata?.name}`, type, reason, message });
    },
    flush: () => Promise.resolve(),
  };
  const running = runControllers(
    controllers,
    {
      clientFor: () => client,
      recorderFor: () => recorder,
      informers,
      clock,
      random: seededRandom(1),
      log,
      spans: noSpans,
    },
    lifetime,
  );
  const kubelet: Harness['kubelet'] = { fate: (pod) => runningStatus(pod, clock.now()) };
  const settle = async (pod: Live<V1Pod>): Promise<void> => {
    try {
      if (pod.metadata.deletionTimestamp) {
        await client.delete(pods, pod.metadata.name, {
          namespace: pod.metadata.namespace ?? '',
          gracePeriodSeconds: 0,
          preconditions: { uid: pod.metadata.uid },
        });
        return;
      }
      const status = kubelet.fate(pod);
      if (status && pod.status?.phase !== status.phase) {
        await client.update(pods, { ...pod, status } as V1Pod, { subresource: 'status' });
      }
    } catch {
      // The pod changed or went: its next event settles it.
      return;
    }
  };
  informers.informer(pods).subscribe({ add: (pod) => void settle(pod), update: (pod) => void settle(pod) });
  await running.started;
  return {
    server,
    client,
    informers,
    running,
    events,
    kubelet,
    async until(what, look) {
      const deadline = systemClock.now() + 5000;
      for (;;) {
        const value = await look();
        if (value !== undefined && value !== false) return value;
        if (systemClock.now() > deadline) throw new Error(`never happened: ${what}`);
        await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)));
      }
    },
    async end() {
      await lifetime.end();
      await server.close();
    },
  };
}

export function runningStatus(pod: Live<V1Pod>, now: number): V1Pod['status'] {
  return {
    phase: 'Running',
    podIP: `10.244.0.${(pod.metadata.name.length % 250) + 1}`,
    podIPs: [{ ip: `10.244.0.${(pod.metadata.name.length % 250) + 1}` }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: rfc3339(now) }],
  };
}

export async function addNode(client: Client, name: string, labels: Record<string, string> = {}): Promise<void> {
  await client.create(nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } } });
}
