import { fromLog } from '../../evidence.ts';
import { outcome, probeExample, probeRule, showProbe } from './probes.ts';

export const probeServerError = probeRule(
  {
    id: 'probe-server-error',
    title: 'The program answers the probe with an error',
    codes: ['PRB-03', 'PRB-16'],
    symptoms: ['Unhealthy', 'HTTP probe failed with statuscode: 500', 'HTTP probe failed with statuscode: 503'],
    lint: 'never',
    meaning:
      'The program is there and says itself that it is not well: a dependency is missing, it is still loading, or it has a fault.',
    tell: '`statuscode: 500`, `503` or the like; its log at the same time says more.',
    fix: 'Repair what the program misses. A liveness probe should not depend on other services: restarting does not bring a database back.',
    sick: [
      {
        when: 'the answer is 503',
        yaml: probeExample({
          kind: 'readiness',
          probe: '{httpGet: {path: /ready, port: 80}}',
          output: 'HTTP probe failed with statuscode: 503',
        }),
        says: '503',
      },
    ],
    healthy: [],
  },
  (it) => {
    const code = /statuscode: (5\d\d)/.exec(it.output)?.[1];
    if (!code) return undefined;
    const [log] = it.snapshot.logs(it.pod, it.container.name);
    const last = log?.text
      .trim()
      .split('\n')
      .filter((line) => /error|fail|refused|timeout|exception|fatal/i.test(line))
      .at(-1);
    return {
      says: `The program of container ${it.container.name} answers its ${it.kind} probe (${showProbe(it.probe)}) with ${code}: by its own account it is not well${outcome(it)}.`,
      evidence: log && last ? [fromLog(it.pod, it.container.name, log, last)] : [],
      remedy: {
        says:
          it.kind === 'liveness'
            ? 'See its log for what it misses; keep dependencies out of the liveness probe.'
            : 'See its log for what it misses.',
        commands: [`kubectl logs ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} --tail=50`],
      },
    };
  },
);
