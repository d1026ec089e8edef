import { eventOf, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { healthyPod, waitingPod } from '../example-pods.ts';

const pattern =
  /failed to sync (?:configmap|secret) cache: timed out waiting for the condition|services have not yet been read at least once/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    if (pod.pod.status?.phase !== 'Pending') continue;
    const event = eventOf(snapshot, pod, ['FailedMount', 'Failed'], pattern);
    if (!event) continue;
    const repeats = (event.count ?? 1) > 3;
    yield {
      subject: pod.ref,
      says: `The kubelet of node ${pod.spec.nodeName} had not yet read the pod's ConfigMaps, Secrets or Services when it wanted them${repeats ? `, ${event.count} times by now: it cannot reach the API server well` : '; it tries again by itself'}.`,
      evidence: [fromEvent(event)],
      severity: repeats ? 'warning' : 'info',
      cause: `node/${pod.spec.nodeName}`,
      remedy: {
        says: repeats ? 'Look at the connection between that kubelet and the API server.' : 'Wait half a minute.',
        commands: [`kubectl get events -n ${pod.namespace} --field-selector involvedObject.name=${pod.ref.name}`],
        verify: watchCommand(pod),
      },
    };
  }
}

const event = (count: number): string => `---
kind: Event
on: Pod/web
reason: FailedMount
message: 'MountVolume.SetUp failed for volume "config" : failed to sync configmap cache: timed out waiting for the condition'
count: ${count}
`;
const pod = waitingPod('ContainerCreating', '');

export const configCacheNotSynced: Rule = {
  id: 'config-cache-not-synced',
  title: 'The kubelet has not yet read what the pod needs',
  phase: 'config',
  codes: ['CFG-10'],
  symptoms: ['FailedMount', 'failed to sync configmap cache: timed out waiting for the condition'],
  severity: 'info',
  lint: 'never',
  rank: 35,
  meaning:
    'A kubelet reads ConfigMaps, Secrets and Services through a cache. Right after its start, or when the API server is slow, the cache is not there in time. The next try succeeds as a rule.',
  tell: 'One event, and the container starts soon after. Many of them point to a kubelet that reaches the API server badly.',
  fix: 'Nothing, unless it repeats.',
  sick: [
    { when: 'it happened once', yaml: pod + event(1), says: 'tries again' },
    { when: 'it repeats', yaml: pod + event(12), says: '12 times' },
  ],
  healthy: [{ when: 'the container has started since', yaml: healthyPod() + event(1) }],
  check,
};
