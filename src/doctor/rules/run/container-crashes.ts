import { fromEnd } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { failures } from './crashes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of failures(snapshot)) {
    const runs = container.running !== undefined;
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} ended with exit code ${end.exitCode} (${end.reason ?? 'Error'})${runs ? ` and runs again; it has been restarted ${container.restarts} times` : container.restarts > 0 ? `, after ${container.restarts} restarts` : ''}; why is not known.`,
      evidence: [fromEnd(pod, container)],
      certainty: 'possible',
      ...(runs && { severity: 'warning' as const }),
      remedy: {
        says: 'Read its log.',
        commands: [
          `kubectl logs ${pod.ref.name} -n ${pod.namespace} -c ${container.name}${container.terminated ? '' : ' --previous'}`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

export const containerCrashes: Rule = {
  id: 'container-crashes',
  title: 'The container ended with an error',
  phase: 'run',
  codes: ['RUN-36', 'RUN-37'],
  symptoms: ['CrashLoopBackOff', 'Error'],
  severity: 'error',
  lint: 'never',
  rank: 10,
  meaning:
    'What is left when no rule knows more: the container ended with an error, and neither its status nor its log tells why. One that has been running well for more than ten minutes since counts as recovered and is not mentioned.',
  tell: 'The exit code. 126 and 127: the command could not be run or found; 128 + N: ended by signal N.',
  fix: 'Read the log of the run that ended.',
  sick: [
    {
      when: 'nothing else is known',
      yaml: crashingPod({ exit: 128, reason: 'ContainerCannotRun' }),
      says: 'exit code 128',
    },
  ],
  healthy: [
    {
      when: 'it has been running for ten minutes since',
      yaml: healthyPod().replace(
        'restartCount: 0',
        'restartCount: 3, lastState: {terminated: {exitCode: 1, reason: Error, startedAt: "2026-01-01T11:40:00Z", finishedAt: "2026-01-01T11:45:00Z"}}',
      ),
    },
  ],
  check,
};
