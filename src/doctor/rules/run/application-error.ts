import { fromEnd, fromLog } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';
import { failures } from './crashes.ts';
import { around, lastWords } from './last-words.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of failures(snapshot)) {
    const log = snapshot.logs(pod, container.name).find((it) => it.text.trim() !== '');
    const words = log && lastWords(log.text);
    if (!log || words === undefined) continue;
    const quoted = words.trim().replace(/[.:\s]+$/, '');
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} gives up with exit code ${end.exitCode}; its last words: ${quoted.length > 160 ? `${quoted.slice(0, 159)}…` : quoted}.`,
      evidence: [fromLog(pod, container.name, log, around(log.text, words)), fromEnd(pod, container)],
      certainty: 'likely',
      remedy: {
        says: 'The fault is in the program or in what it was given; go on from its own words.',
        commands: [
          `kubectl logs ${pod.ref.name} -n ${pod.namespace} -c ${container.name}${log.previous ? ' --previous' : ''}`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

export const applicationError: Rule = {
  id: 'application-error',
  title: 'The program gives up by itself',
  phase: 'run',
  codes: ['RUN-07'],
  symptoms: ['CrashLoopBackOff', 'Error', 'exit code 1', 'panic', 'Traceback', 'Exception'],
  severity: 'error',
  lint: 'never',
  rank: 40,
  meaning:
    'The program ended with an error that no more specific rule knows. Its own last words are the best evidence there is: the exception, the panic, the line marked as fatal.',
  tell: 'The log of the run that ended (`kubectl logs --previous`).',
  fix: 'By the program’s words. Where an older version ran, go back to it.',
  sick: [
    {
      when: 'it panics',
      yaml: crashingPod({
        exit: 2,
        log: 'starting\npanic: runtime error: index out of range [3] with length 3\n\ngoroutine 1 [running]:\n',
      }),
      says: 'index out of range',
    },
    {
      when: 'Python raises',
      yaml: crashingPod({
        exit: 1,
        log: 'Traceback (most recent call last):\n  File "/app/main.py", line 7, in <module>\n    start()\nValueError: odd number of items\n',
      }),
      says: 'ValueError: odd number of items',
    },
  ],
  healthy: [{ when: 'it runs', yaml: healthyPod() }],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "echo 'panic: runtime error: index out of range'; exit 2"]`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  check,
};
