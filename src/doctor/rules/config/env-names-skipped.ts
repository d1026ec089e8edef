import { eventOf, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';

const pattern = /^Keys \[([^\]]*)\] from the EnvFrom (configMap|secret) (\S+) were skipped/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const event = eventOf(snapshot, pod, ['InvalidEnvironmentVariableNames'], pattern);
    const [, keys, kind, name] = pattern.exec(event?.message ?? '') ?? [];
    if (!event) continue;
    yield {
      subject: pod.ref,
      says: `The keys ${keys} of ${kind} ${name} are no valid names of environment variables, so the kubelet left them out; the program may miss them.`,
      evidence: [fromEvent(event)],
      certainty: 'possible',
      cause: name ?? '',
      remedy: {
        says: 'Rename the keys (letters, digits, _), or set each variable with valueFrom.',
        commands: [`kubectl edit ${kind?.toLowerCase()} ${name?.split('/').at(-1)} -n ${pod.namespace}`],
        verify: watchCommand(pod),
      },
    };
  }
}

const event = `---
kind: Event
on: Pod/web
reason: InvalidEnvironmentVariableNames
message: 'Keys [db.host] from the EnvFrom configMap default/app-config were skipped since they are considered invalid environment variable names.'
`;

export const envNamesSkipped: Rule = {
  id: 'env-names-skipped',
  title: 'Keys that cannot be environment variables were left out',
  phase: 'config',
  codes: ['CFG-15'],
  symptoms: ['InvalidEnvironmentVariableNames'],
  severity: 'warning',
  lint: 'never',
  rank: 58,
  meaning:
    '`envFrom` makes a variable of every key. Older kubelets skip keys with dots and dashes; newer ones take them as they are.',
  tell: 'The event `InvalidEnvironmentVariableNames` lists the keys.',
  fix: 'Rename the keys, or use `env` with `valueFrom`.',
  sick: [
    {
      when: 'the program crashes after keys were skipped',
      yaml: crashingPod({ exit: 1, log: 'starting\n' }) + event,
      says: 'db.host',
    },
  ],
  healthy: [{ when: 'the program runs without them', yaml: healthyPod() + event }],
  check,
};
