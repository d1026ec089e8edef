import { computed, fromSpec } from '../../evidence.ts';
import { editPodSpec } from '../../remedy.ts';
import { fieldOfProbe, probeExample, probeFault, probeRule } from './probes.ts';

/** How long a container has at least until a liveness probe kills it, in seconds. */
const budget = (probe: { initialDelaySeconds?: number; periodSeconds?: number; failureThreshold?: number }): number =>
  (probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10) * ((probe.failureThreshold ?? 3) - 1);

export const slowStartKilled = probeRule(
  {
    id: 'slow-start-killed',
    title: 'The liveness probe kills the program before it is up',
    codes: ['PRB-05'],
    symptoms: ['Unhealthy', 'CrashLoopBackOff', 'connection refused'],
    lint: 'never',
    rank: 82,
    meaning:
      'The program needs longer to start than the liveness probe lets it live: it is killed while it is still loading, each time at the same age.',
    tell: 'Never ready; every life ends after about `initialDelaySeconds + periodSeconds × failureThreshold`; there is no startup probe; `connection refused` although the port is right.',
    fix: 'A startup probe: liveness waits until it has succeeded once.',
    sick: [
      {
        when: 'every life is as long as the probe allows',
        yaml: probeExample({
          probe: '{tcpSocket: {port: 80}, periodSeconds: 10}',
          output: 'dial tcp 10.244.0.5:80: connect: connection refused',
          container: '    ports: [{containerPort: 80}]',
        }),
        says: 'still starting',
      },
    ],
    healthy: [],
    fault: {
      manifest: probeFault(
        '        livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 2, failureThreshold: 2}',
        'busybox:1.36',
        '        command: [sh, -c, "sleep 20; mkdir -p /www; httpd -f -p 80 -h /www"]',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: true,
      patienceSeconds: 15,
    },
  },
  (it) => {
    if (it.kind !== 'liveness' || !it.kills || it.container.spec.startupProbe || !/connection refused/.test(it.output))
      return undefined;
    const { startedAt, finishedAt } = it.container.lastEnd ?? {};
    if (!startedAt || !finishedAt || (it.container.lastEnd?.exitCode ?? 0) === 0) return undefined;
    const lived = Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
    const allowed = budget(it.probe);
    const grace = it.pod.spec.terminationGracePeriodSeconds ?? 30;
    if (lived < allowed - 1 || lived > allowed + (it.probe.periodSeconds ?? 10) + grace + 5) return undefined;
    const { livenessProbe } = it.container.spec;
    const startup = { ...livenessProbe, initialDelaySeconds: undefined, failureThreshold: 60, periodSeconds: 5 };
    const value = Object.fromEntries(Object.entries(startup).filter(([, field]) => field !== undefined));
    const change = editPodSpec(it.snapshot, it.pod, [{ path: ['startupProbe'], value }], it.container.name);
    return {
      says: `The liveness probe kills container ${it.container.name} while it is still starting: it lived ${lived} s and never answered, and the probe gives it about ${allowed} s.`,
      evidence: [
        computed(it.pod.ref, `its last life: ${startedAt} to ${finishedAt}`),
        fromSpec(
          it.pod.ref,
          `initialDelaySeconds ${it.probe.initialDelaySeconds ?? 0}, periodSeconds ${it.probe.periodSeconds ?? 10}, failureThreshold ${it.probe.failureThreshold ?? 3}; no startupProbe`,
          `spec.${it.container.path}.livenessProbe`,
        ),
      ],
      certainty: 'likely',
      field: fieldOfProbe(it),
      otherwise: ['the program listens on 127.0.0.1 only, or on another port'],
      remedy: {
        says: 'Add a startup probe that gives it, say, five minutes.',
        commands: [`kubectl logs ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} --previous`],
        ...(change && { actions: [change] }),
      },
    };
  },
);
