import { eventOf, fromEnd, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { crashes } from './crashes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of crashes(snapshot)) {
    if (end.exitCode !== 143) continue;
    const event = eventOf(snapshot, pod, ['Killing'], undefined, container.name);
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} was asked to stop (SIGTERM, exit code 143)${event ? `: ${(event.message ?? '').replace(/[.]$/, '')}` : '; by whom is no longer known'}.`,
      evidence: [fromEnd(pod, container), ...(event ? [fromEvent(event)] : [])],
      certainty: event ? 'likely' : 'possible',
      remedy: {
        says: 'Find who stops it: a failing liveness probe, a rollout or eviction, or a parent process inside.',
        commands: [`kubectl get events -n ${pod.namespace} --field-selector involvedObject.name=${pod.ref.name}`],
        verify: watchCommand(pod),
      },
    };
  }
}

export const endedBySignal: Rule = {
  id: 'ended-by-signal',
  title: 'It was asked to stop',
  phase: 'run',
  codes: ['RUN-19'],
  symptoms: ['exit code 143', 'SIGTERM'],
  severity: 'error',
  lint: 'never',
  rank: 44,
  meaning:
    '143 means that SIGTERM ended the process (128 + 15): something asked it to stop, it did not fail by itself.',
  tell: 'A `Killing` event at that time says who: a failed probe, a deletion, an eviction.',
  fix: 'By who stopped it.',
  sick: [{ when: 'nobody is known who did', yaml: crashingPod({ exit: 143 }), says: 'no longer known' }],
  healthy: [{ when: 'it runs', yaml: healthyPod() }],
  check,
};
