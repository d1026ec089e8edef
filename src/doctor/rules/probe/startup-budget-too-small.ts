import { fromSpec } from '../../evidence.ts';
import { editPodSpec } from '../../remedy.ts';
import { fieldOfProbe, outcome, probeExample, probeRule, showProbe } from './probes.ts';

export const startupBudgetTooSmall = probeRule(
  {
    id: 'startup-budget-too-small',
    title: 'The startup probe gives up too early',
    codes: ['PRB-06', 'CRT-35'],
    symptoms: ['Unhealthy', 'Startup probe failed', 'failed startup probe, will be restarted'],
    lint: 'never',
    rank: 78,
    meaning:
      'The startup probe allows `failureThreshold × periodSeconds` for the start. The program was not up by then, or the probe asks the wrong thing.',
    tell: '`Container NAME failed startup probe, will be restarted`.',
    fix: 'A larger `failureThreshold`; or a probe that asks the right port and path.',
    sick: [
      {
        when: 'the budget is thirty seconds',
        yaml: probeExample({
          kind: 'startup',
          probe: '{httpGet: {path: /, port: 80}, periodSeconds: 10, failureThreshold: 3}',
          output: 'Get "http://10.244.0.5:80/": dial tcp 10.244.0.5:80: connect: connection refused',
          container: '    ports: [{containerPort: 80}]',
        }),
        says: '30 s',
      },
    ],
    healthy: [],
  },
  (it) => {
    if (it.kind !== 'startup' || !/connection refused|timeout|deadline/i.test(it.output)) return undefined;
    const seconds =
      (it.probe.initialDelaySeconds ?? 0) + (it.probe.periodSeconds ?? 10) * (it.probe.failureThreshold ?? 3);
    const threshold = Math.max(30, (it.probe.failureThreshold ?? 3) * 10);
    const change = editPodSpec(
      it.snapshot,
      it.pod,
      [{ path: ['startupProbe', 'failureThreshold'], value: threshold }],
      it.container.name,
    );
    return {
      says: `Container ${it.container.name} does not answer its startup probe (${showProbe(it.probe)}) within the ${seconds} s that it has${outcome(it)}.`,
      evidence: [
        fromSpec(
          it.pod.ref,
          `periodSeconds ${it.probe.periodSeconds ?? 10}, failureThreshold ${it.probe.failureThreshold ?? 3}`,
          `spec.${it.container.path}.startupProbe`,
        ),
      ],
      certainty: 'likely',
      field: fieldOfProbe(it, '.failureThreshold'),
      remedy: {
        says: `Give it more time (failureThreshold: ${threshold}), if the log shows that it is still starting.`,
        commands: [`kubectl logs ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} --previous`],
        ...(change && { actions: [change] }),
      },
    };
  },
);
