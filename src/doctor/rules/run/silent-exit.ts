import { computed, fromEnd } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';
import { failures, lasted } from './crashes.ts';

/** Ends that tell their own story without a log. */
const spoken: ReadonlySet<number> = new Set([126, 127, 128, 132, 134, 135, 136, 137, 139, 143]);

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of failures(snapshot)) {
    const logs = snapshot.logs(pod, container.name);
    if (logs.some((it) => it.text.trim() !== '') || end.message?.trim() || spoken.has(end.exitCode)) continue;
    const ms = lasted(end);
    const unread = logs.length === 0;
    const command = [...(container.spec.command ?? []), ...(container.spec.args ?? [])];
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} ends with exit code ${end.exitCode}${ms === undefined ? '' : ` after ${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`}${unread ? '; its log could not be read' : ' without a word'}.`,
      evidence: [
        fromEnd(pod, container),
        computed(
          pod.ref,
          `${unread ? 'no log was read' : 'the log is empty'}, no termination message; command: ${command.length > 0 ? JSON.stringify(command) : "the image's own"}`,
        ),
      ],
      certainty: 'possible',
      remedy: {
        says: unread
          ? 'Read the log of the last run.'
          : 'Run the image with a shell and start the program by hand: it dies before it logs.',
        commands: unread
          ? [`kubectl logs ${pod.ref.name} -n ${pod.namespace} -c ${container.name} --previous`]
          : [
              `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- sh`,
            ],
        verify: watchCommand(pod),
      },
    };
  }
}

export const silentExit: Rule = {
  id: 'silent-exit',
  title: 'It ends with an error and says nothing',
  phase: 'run',
  codes: ['RUN-28'],
  symptoms: ['CrashLoopBackOff', 'Error', 'empty log'],
  severity: 'error',
  lint: 'never',
  rank: 25,
  meaning:
    'The program ended with an error code and wrote nothing, neither to its log nor to the termination message. Often the entry point is wrong, or it logs to a file.',
  tell: 'The log of the previous run is empty.',
  fix: 'Start it by hand in a copy of the pod; let it log to standard output.',
  sick: [
    { when: 'the log is empty', yaml: crashingPod({ exit: 3, log: '' }), says: 'without a word' },
    { when: 'the log could not be read', yaml: crashingPod({ exit: 3 }), says: 'could not be read' },
  ],
  healthy: [{ when: 'it runs', yaml: healthyPod() }],
  fault: {
    manifest: deploymentManifest({ container: 'command: [sh, -c, "exit 3"]' }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  check,
};
