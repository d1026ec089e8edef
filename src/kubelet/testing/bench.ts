import { pods } from '../../api/generated/resources.ts';
import type { V1Pod, V1PodSpec } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import type { Span } from '../../api/trace.ts';
import { type Lifetime, startLifetime } from '../../base/lifetime.ts';
import { silentLogger } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { type VirtualClock, virtualClock } from '../../base/virtual-clock.ts';
import { createInformers } from '../../client/informers.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';
import { type Kubelet, startKubelet } from '../kubelet.ts';
import { type FakeApi, fakeApi } from './fake-api.ts';
import { type FakeRuntime, fakeRuntime } from './fake-runtime.ts';

export interface RecordedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly object: string;
}

/** One kubelet over fakes on a virtual clock, with what tests ask it. */
export interface Bench {
  readonly clock: VirtualClock;
  readonly api: FakeApi;
  readonly files: NodeFiles;
  readonly runtime: FakeRuntime;
  readonly events: RecordedEvent[];
  readonly spans: Span[];
  readonly kubelet: Kubelet;
  readonly life: Lifetime;
  /** Lets `ms` milliseconds pass, and all that follows from them. */
  run(ms?: number): Promise<void>;
  /** Advances time until the condition holds, at most `seconds`. */
  until(condition: () => unknown, seconds?: number): Promise<void>;
  create(name: string, spec: Partial<V1PodSpec>): KubeObject;
  pod(name: string): V1Pod | undefined;
  container(
    name: string,
    container?: string,
  ): NonNullable<NonNullable<V1Pod['status']>['containerStatuses']>[number] | undefined;
  /** The messages of all events with this reason. */
  said(reason: string): readonly string[];
  /** Stops this kubelet and starts another over the same runtime and API. */
  restart(): Promise<Kubelet>;
}

export interface BenchOptions {
  readonly makeFiles: (now: () => number) => NodeFiles;
  readonly staticPodDir?: string;
  readonly before?: (files: NodeFiles) => Promise<void>;
}

/** Starts it; end `life` when done. */
export async function startBench(options: BenchOptions): Promise<Bench> {
  const clock = virtualClock();
  const life = startLifetime(() => undefined);
  const api = fakeApi(clock);
  const files = options.makeFiles(() => clock.now());
  const runtime = fakeRuntime({ clock, files, nodeName: 'n1' });
  runtime.registry.set('busybox:1', { sizeBytes: 1000 });
  const events: RecordedEvent[] = [];
  const spans: Span[] = [];
  await options.before?.(files);
  let own = life.child();
  const start = (): Promise<Kubelet> => {
    const log = silentLogger;
    return startKubelet({
      nodeName: 'n1',
      runtime,
      client: api.client,
      informers: createInformers({ client: api.client, clock, log, signal: own.signal }),
      events: {
        event: (object: KubeObject, type, reason, message) =>
          void events.push({ type, reason, message, object: object.metadata?.name ?? '' }),
        flush: () => Promise.resolve(),
      },
      clock,
      random: seededRandom(1),
      log,
      spans: { record: (span) => void spans.push(span) },
      clusterDns: ['10.96.0.10'],
      lifetime: own,
      ...(options.staticPodDir !== undefined && { staticPodDir: options.staticPodDir }),
    });
  };
  const pod = (name: string): V1Pod | undefined => api.get(pods, 'ns', name);
  return {
    clock,
    api,
    files,
    runtime,
    events,
    spans,
    kubelet: await start(),
    life,
    async run(ms = 1) {
      await clock.advance(ms);
      for (let i = 0; i < 10; i++) await clock.advance(0);
    },
    async until(condition, seconds = 60) {
      for (let i = 0; i < seconds * 10; i++) {
        if (condition()) return;
        await clock.advance(100);
      }
      throw new Error(`the condition did not come: ${condition}`);
    },
    create: (name, spec) =>
      api.put(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'ns', uid: `uid-${name}` },
        spec: {
          nodeName: 'n1',
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          enableServiceLinks: true,
          containers: [{ name: 'app', image: 'busybox:1', imagePullPolicy: 'IfNotPresent' }],
          ...spec,
        },
        status: { phase: 'Pending' },
      } as V1Pod),
    pod,
    container: (name, container = 'app') => pod(name)?.status?.containerStatuses?.find((it) => it.name === container),
    said: (reason) => events.filter((it) => it.reason === reason).map((it) => it.message),
    async restart() {
      await own.end();
      own = life.child();
      return start();
    },
  };
}
