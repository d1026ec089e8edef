import { eventOf, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import { eventTime, type Snapshot } from '../../snapshot/snapshot.ts';
import { runningPod } from './example.ts';

/** Pulls faster than this are not worth a word (milliseconds). */
const slowMs = 120_000;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    if (pod.pod.status?.phase !== 'Pending') continue;
    for (const container of pod.containers) {
      const { reason } = container.waiting ?? {};
      if (reason !== 'ContainerCreating' && reason !== 'PodInitializing') continue;
      const began = eventOf(snapshot, pod, ['Pulling'], undefined, container.name);
      const at = began && eventTime(began);
      if (!began || at === undefined || snapshot.now - at < slowMs) continue;
      const done = eventOf(snapshot, pod, ['Pulled', 'Failed'], undefined, container.name);
      if (done && (eventTime(done) ?? 0) >= at) continue;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `Node ${pod.spec.nodeName} has been pulling ${container.image} for ${Math.round((snapshot.now - at) / 60_000)} minutes; this is slow, but no failure.`,
        evidence: [fromEvent(began)],
        certainty: 'likely',
        remedy: {
          says: 'Wait; if it never ends, look at the registry and the node’s network, or use a smaller image.',
          commands: [
            `kubectl get events -n ${pod.namespace} --field-selector involvedObject.name=${pod.ref.name} --watch`,
          ],
          verify: watchCommand(pod),
        },
      };
    }
  }
}

const pulling = (ago: number): string => `
kind: Pod
metadata: {name: web}
spec: {nodeName: n1, containers: [{name: app, image: acme/huge:1}]}
status:
  phase: Pending
  containerStatuses: [{name: app, image: acme/huge:1, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}]
---
kind: Event
on: Pod/web
type: Normal
reason: Pulling
message: Pulling image "acme/huge:1"
ago: ${ago}
`;

export const imagePullSlow: Rule = {
  id: 'image-pull-slow',
  title: 'The image is still being pulled',
  phase: 'image',
  codes: ['IMG-22'],
  symptoms: ['ContainerCreating', 'Pulling image'],
  severity: 'info',
  lint: 'never',
  rank: 40,
  meaning:
    'The pull began minutes ago and has neither ended nor failed: a large image, a slow registry, or other pulls in front of it.',
  tell: 'A `Pulling` event without a `Pulled` or `Failed` one after it.',
  fix: 'Wait. To be faster next time: smaller images, a registry nearby, images pulled beforehand.',
  sick: [{ when: 'the pull has been going on for five minutes', yaml: pulling(300), says: 'no failure' }],
  healthy: [
    { when: 'it has just begun', yaml: pulling(20) },
    { when: 'the image runs', yaml: runningPod('web', 'acme/huge:1') },
  ],
  check,
};
