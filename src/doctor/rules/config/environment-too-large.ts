import { services } from '../../../api/generated/resources.ts';
import { computed, fromEnd, fromLog, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';

const pattern = /argument list too long/i;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const line = logLine(snapshot, pod, container.name, pattern);
      const inStatus = pattern.test(container.lastEnd?.message ?? '') || pattern.test(container.waiting?.message ?? '');
      if (!line && !inStatus) continue;
      const count = snapshot.in(services, pod.namespace).length;
      const links = pod.spec.enableServiceLinks !== false && count > 100;
      const change = links ? editPodSpec(snapshot, pod, [{ path: ['enableServiceLinks'], value: false }]) : undefined;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The arguments and environment of container ${container.name} are larger than the kernel allows${links ? `: the ${count} Services of the namespace set some seven variables each` : ''}.`,
        evidence: [
          ...(line ? [fromLog(pod, container.name, line.log, line.line)] : [fromEnd(pod, container)]),
          computed(
            pod.ref,
            `${count} Services in namespace ${pod.namespace}, enableServiceLinks ${pod.spec.enableServiceLinks !== false}`,
          ),
        ],
        field: fieldOf(pod, 'enableServiceLinks'),
        remedy: {
          says: links
            ? 'Turn the variables of Services off for this pod.'
            : 'Shorten arguments and variables; mount long values as files.',
          commands: change
            ? [commandOf(change)]
            : [`kubectl get pod ${pod.ref.name} -n ${pod.namespace} -o jsonpath='{.spec.containers[*].env}' | wc -c`],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
}

export const environmentTooLarge: Rule = {
  id: 'environment-too-large',
  title: 'Arguments and environment are too large for the kernel',
  phase: 'config',
  codes: ['CFG-21'],
  symptoms: ['argument list too long'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'The kernel bounds what a new process may be given as arguments and environment. In a namespace with thousands of Services the variables that Kubernetes sets for each of them fill it.',
  tell: '`argument list too long` when the container, or a program it starts, is executed.',
  fix: '`enableServiceLinks: false`, or fewer and shorter values.',
  sick: [
    {
      when: 'the shell cannot start a program',
      yaml: crashingPod({ exit: 126, log: '/bin/sh: /app/run: Argument list too long\n' }),
      says: 'larger than the kernel allows',
    },
  ],
  healthy: [{ when: 'it runs', yaml: healthyPod() }],
  check,
};
