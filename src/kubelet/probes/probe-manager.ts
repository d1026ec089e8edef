import type { V1Container, V1Pod, V1Probe } from '../../api/generated/types.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { containerFieldPath, containerSpec, type ObservedContainer, type ObservedPod } from '../pods/observed.ts';
import type { ProbeVerdict, ProbeVerdicts } from '../pods/plan.ts';
import type { Prober } from './prober.ts';

export type ProbeType = 'Startup' | 'Liveness' | 'Readiness';

export interface ProbeManager extends ProbeVerdicts {
  /** Brings the probes in line with the pod's running containers. */
  sync(pod: V1Pod, observed: ObservedPod): void;
  /** The pod ends: only readiness goes on. */
  stopLivenessAndStartup(uid: string): void;
  remove(uid: string): void;
  /** Whether a running container counts as started: its startup probe, if any, has succeeded. */
  started(pod: V1Pod, name: string, containerId: string): boolean;
  ready(pod: V1Pod, name: string, containerId: string): boolean;
  /** How often probes have come to which result: the kubelet's /metrics/probes (Prometheus' text format). */
  metrics(): string;
  stop(): void;
}

interface Worker {
  readonly type: ProbeType;
  readonly probe: V1Probe;
  readonly containerId: string;
  pod: V1Pod;
  readonly container: V1Container;
  podIp: string;
  readonly counts: Record<'successful' | 'failed' | 'unknown', number>;
  verdict: 'success' | 'failure' | 'unknown';
  last: 'success' | 'failure' | undefined;
  run: number;
  onHold: boolean;
  busy: boolean;
  stopped: boolean;
  timer: Timer | undefined;
}

const initial = { Startup: 'unknown', Liveness: 'success', Readiness: 'failure' } as const;

const probesOf = (container: V1Container): readonly [ProbeType, V1Probe][] => [
  ...(container.startupProbe ? [['Startup', container.startupProbe] as [ProbeType, V1Probe]] : []),
  ...(container.livenessProbe ? [['Liveness', container.livenessProbe] as [ProbeType, V1Probe]] : []),
  ...(container.readinessProbe ? [['Readiness', container.readinessProbe] as [ProbeType, V1Probe]] : []),
];

/** One timer for each probe of a running container, none for others. Upstream: pkg/kubelet/prober (manager and worker). */
export function probeManager(options: {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly random: Random;
  /** A verdict has changed. */
  readonly onChange: (uid: string) => void;
  readonly event: (pod: V1Pod, reason: string, message: string, fieldPath: string) => void;
  /** Containers that started before this were running when the kubelet came up: they stay ready until a probe says otherwise. */
  readonly startedAt: number;
}): ProbeManager {
  const { prober, clock, random, event } = options;
  const byPod = new Map<string, Map<string, Worker>>();
  const keyOf = (type: ProbeType, name: string): string => `${type}/${name}`;
  const plainId = (id: string): string => id.replace(/^[^:]+:\/\//, '');

  const find = (type: ProbeType, containerId: string): Worker | undefined => {
    const id = plainId(containerId);
    for (const workers of byPod.values())
      for (const worker of workers.values()) if (worker.type === type && worker.containerId === id) return worker;
    return undefined;
  };

  const isStarted = (uid: string, name: string, containerId: string): boolean => {
    const startup = byPod.get(uid)?.get(keyOf('Startup', name));
    return !startup || (startup.containerId === containerId && startup.verdict === 'success');
  };

  const period = (worker: Worker): number => (worker.probe.periodSeconds ?? 10) * 1000;

  const arm = (worker: Worker, ms: number): void => {
    worker.timer?.cancel();
    if (!worker.stopped) worker.timer = clock.after(ms, () => void tick(worker), { background: true });
  };

  const settle = (worker: Worker, verdict: 'success' | 'failure'): void => {
    const changed = worker.verdict !== verdict;
    worker.verdict = verdict;
    if ((worker.type === 'Liveness' && verdict === 'failure') || worker.type === 'Startup') {
      worker.onHold = true;
      worker.run = 0;
    }
    if (!changed) return;
    if (worker.type === 'Startup' && verdict === 'success') {
      // The others have waited for this.
      for (const other of byPod.get(worker.pod.metadata?.uid ?? '')?.values() ?? [])
        if (other !== worker && other.containerId === worker.containerId) arm(other, firstDelay(other, clock.now()));
    }
    options.onChange(worker.pod.metadata?.uid ?? '');
  };

  const tick = async (worker: Worker): Promise<void> => {
    if (worker.stopped || worker.onHold || worker.busy) return;
    const uid = worker.pod.metadata?.uid ?? '';
    // Armed again when the startup probe succeeds.
    if (worker.type !== 'Startup' && !isStarted(uid, worker.container.name, worker.containerId)) return;
    worker.busy = true;
    const begun = clock.now();
    const outcome = await prober.run({
      pod: worker.pod,
      container: worker.container,
      containerId: worker.containerId,
      podIp: worker.podIp,
      probe: worker.probe,
    });
    worker.busy = false;
    if (worker.stopped) return;
    const path = containerFieldPath(worker.pod, worker.container.name);
    worker.counts[outcome.kind === 'errored' ? 'unknown' : outcome.kind === 'failure' ? 'failed' : 'successful']++;
    if (outcome.kind === 'errored') {
      event(
        worker.pod,
        'Unhealthy',
        `${worker.type} probe errored and resulted in unknown state: ${outcome.output}`,
        path,
      );
    } else {
      if (outcome.kind === 'failure')
        event(worker.pod, 'Unhealthy', `${worker.type} probe failed: ${outcome.output}`, path);
      if (outcome.kind === 'warning')
        event(worker.pod, 'ProbeWarning', `${worker.type} probe warning: ${outcome.output}`, path);
      const result = outcome.kind === 'failure' ? 'failure' : 'success';
      worker.run = worker.last === result ? worker.run + 1 : 1;
      worker.last = result;
      const needed = result === 'failure' ? (worker.probe.failureThreshold ?? 3) : (worker.probe.successThreshold ?? 1);
      if (worker.run >= needed) settle(worker, result);
    }
    if (!worker.onHold) arm(worker, Math.max(0, period(worker) - (clock.now() - begun)));
  };

  const firstDelay = (worker: Worker, startedAt: number): number => {
    const due = startedAt + (worker.probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    // Spread, so that probes of pods which start together do not stay together.
    return Math.max(0, due) + random.next() * Math.min(period(worker), worker.type === 'Liveness' ? 1000 : 100);
  };

  const halt = (worker: Worker): void => {
    worker.stopped = true;
    worker.timer?.cancel();
  };

  const start = (
    pod: V1Pod,
    container: V1Container,
    seen: ObservedContainer,
    podIp: string,
    type: ProbeType,
    probe: V1Probe,
  ): Worker => {
    const inherited = seen.startedAt < options.startedAt - 10_000;
    const old = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      (it) => plainId(it.containerID ?? '') === seen.id,
    );
    let verdict: Worker['verdict'] = initial[type];
    if (inherited && type === 'Startup' && old?.started) verdict = 'success';
    if (inherited && type === 'Readiness' && old?.ready) verdict = 'success';
    const worker: Worker = {
      type,
      probe,
      containerId: seen.id,
      pod,
      container,
      podIp,
      counts: { successful: 0, failed: 0, unknown: 0 },
      verdict,
      last: undefined,
      run: 0,
      onHold: type === 'Startup' && verdict === 'success',
      busy: false,
      stopped: false,
      timer: undefined,
    };
    return worker;
  };

  const verdictOf = (type: ProbeType, id: string): ProbeVerdict => find(type, id)?.verdict;

  return {
    liveness: (id) => verdictOf('Liveness', id),
    startup: (id) => verdictOf('Startup', id),
    sync(pod, observed) {
      const uid = pod.metadata?.uid ?? '';
      const workers = byPod.get(uid) ?? new Map<string, Worker>();
      const wanted = new Set<string>();
      const fresh: [Worker, number][] = [];
      const seenNames = new Set<string>();
      for (const seen of observed.containers) {
        if (seenNames.has(seen.name)) continue;
        seenNames.add(seen.name);
        if (seen.state !== 'running') continue;
        const container = containerSpec(pod, seen.name);
        if (!container) continue;
        for (const [type, probe] of probesOf(container)) {
          const key = keyOf(type, seen.name);
          const existing = workers.get(key);
          const ending = pod.metadata?.deletionTimestamp !== undefined && type !== 'Readiness';
          if (ending && !existing) continue;
          wanted.add(key);
          if (existing?.containerId === seen.id) {
            existing.pod = pod;
            existing.podIp = observed.ips[0] ?? existing.podIp;
            continue;
          }
          if (existing) halt(existing);
          const worker = start(pod, container, seen, observed.ips[0] ?? pod.status?.podIP ?? '', type, probe);
          workers.set(key, worker);
          fresh.push([worker, seen.startedAt]);
        }
      }
      for (const [key, worker] of workers)
        if (!wanted.has(key)) {
          halt(worker);
          workers.delete(key);
        }
      if (workers.size > 0) byPod.set(uid, workers);
      else byPod.delete(uid);
      for (const [worker, startedAt] of fresh) if (!worker.onHold) arm(worker, firstDelay(worker, startedAt));
    },
    stopLivenessAndStartup(uid) {
      for (const worker of byPod.get(uid)?.values() ?? [])
        if (worker.type !== 'Readiness') {
          halt(worker);
          worker.verdict = 'success';
        }
    },
    remove(uid) {
      for (const worker of byPod.get(uid)?.values() ?? []) halt(worker);
      byPod.delete(uid);
    },
    started(pod, name, containerId) {
      if (!containerSpec(pod, name)?.startupProbe) return true;
      const worker = byPod.get(pod.metadata?.uid ?? '')?.get(keyOf('Startup', name));
      return worker?.containerId === plainId(containerId) && worker.verdict === 'success';
    },
    ready(pod, name, containerId) {
      if (!containerSpec(pod, name)?.readinessProbe) return true;
      const worker = byPod.get(pod.metadata?.uid ?? '')?.get(keyOf('Readiness', name));
      return worker?.containerId === plainId(containerId) && worker.verdict === 'success';
    },
    metrics() {
      const lines: string[] = [];
      for (const workers of byPod.values())
        for (const { type, container, pod, counts } of workers.values())
          for (const [result, count] of Object.entries(counts))
            if (count > 0)
              lines.push(
                `prober_probe_total{container="${container.name}",namespace="${pod.metadata?.namespace}",pod="${pod.metadata?.name}",pod_uid="${pod.metadata?.uid}",probe_type="${type}",result="${result}"} ${count}\n`,
              );
      const name = 'prober_probe_total';
      const help = 'Cumulative number of a liveness, readiness or startup probe for a container by result.';
      return lines.length === 0 ? '' : `# HELP ${name} [BETA] ${help}\n# TYPE ${name} counter\n${lines.join('')}`;
    },
    stop() {
      for (const workers of byPod.values()) for (const worker of workers.values()) halt(worker);
      byPod.clear();
    },
  };
}
