import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { probeFault, showProbe } from './probes.ts';

const most = 100;

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'live') return;
  for (const pod of snapshot.pods)
    for (const container of pod.containers) {
      const { livenessProbe: live, readinessProbe: ready } = container.spec;
      if (live && (live.failureThreshold ?? 3) > most)
        yield {
          subject: pod.ref,
          container: container.name,
          says: `The liveness probe of container ${container.name} has to fail ${live.failureThreshold} times before anything happens (${Math.round(((live.failureThreshold ?? 3) * (live.periodSeconds ?? 10)) / 60)} minutes): it is as good as off.`,
          evidence: [
            fromSpec(
              pod.ref,
              `failureThreshold: ${live.failureThreshold}`,
              `spec.${container.path}.livenessProbe.failureThreshold`,
            ),
          ],
          field: containerField(pod, container, 'livenessProbe.failureThreshold'),
          remedy: {
            says: 'Lower failureThreshold, and use a startup probe for a slow start.',
            commands: ['kubectl explain pod.spec.containers.startupProbe'],
          },
        };
      else if (
        live &&
        ready &&
        live.httpGet &&
        showProbe(live) === showProbe(ready) &&
        (live.failureThreshold ?? 3) <= (ready.failureThreshold ?? 3)
      )
        yield {
          subject: pod.ref,
          container: container.name,
          severity: 'info',
          says: `The liveness and readiness probes of container ${container.name} ask the same (${showProbe(live)}) with the same patience: under load it is restarted instead of spared.`,
          evidence: [
            fromSpec(
              pod.ref,
              `livenessProbe and readinessProbe: ${showProbe(live)}`,
              `spec.${container.path}.livenessProbe`,
            ),
          ],
          field: containerField(pod, container, 'livenessProbe'),
          remedy: {
            says: 'Give liveness a cheaper question, or a higher failureThreshold than readiness.',
            commands: ['kubectl explain pod.spec.containers.livenessProbe'],
          },
        };
    }
}

export const probeBadlyTuned: Rule = {
  id: 'probe-badly-tuned',
  title: 'The liveness probe is too lax or too eager',
  phase: 'probe',
  codes: ['PRB-18', 'PRB-20'],
  symptoms: ['Unhealthy'],
  severity: 'warning',
  lint: 'manifest',
  rank: 50,
  meaning:
    'A liveness probe that never acts hides a dead program; one that asks just what readiness asks turns a moment of load into a cascade of restarts.',
  tell: '`failureThreshold` in the hundreds; or two equal probes.',
  fix: 'Liveness: cheap, patient, without dependencies. Readiness: as strict as you like.',
  sick: [
    {
      when: 'the threshold is a thousand',
      stage: 'manifests',
      yaml: probeFault('        livenessProbe: {httpGet: {path: /, port: 80}, failureThreshold: 1000}'),
      says: 'as good as off',
    },
  ],
  healthy: [
    {
      when: 'liveness is more patient than readiness',
      stage: 'manifests',
      yaml: probeFault(
        '        livenessProbe: {httpGet: {path: /, port: 80}, failureThreshold: 6}\n        readinessProbe: {httpGet: {path: /, port: 80}, failureThreshold: 2}',
      ),
    },
  ],
  check,
};
