import { computed, fromEvent, fromWaiting } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { eventTime } from '../../snapshot/snapshot.ts';
import { notBegun } from '../said.ts';

const patienceMs = 5 * 60_000;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const [first] = pod.containers.filter(
      (it) => it.waiting?.reason === 'ContainerCreating' || it.waiting?.reason === 'PodInitializing',
    );
    const started = pod.pod.status?.startTime ?? pod.pod.metadata?.creationTimestamp;
    if (!first || !pod.spec.nodeName || !notBegun(pod) || !started || snapshot.now - Date.parse(started) < patienceMs)
      continue;
    const events = snapshot.events(pod.ref, pod.pod.metadata?.uid);
    // A pull or an attachment that began lately is progress.
    const progress = events.find((it) => it.type === 'Normal');
    if (progress && snapshot.now - (eventTime(progress) ?? 0) < patienceMs) continue;
    yield {
      subject: pod.ref,
      says: `The pod has been at ContainerCreating on node ${pod.spec.nodeName} for ${Math.round((snapshot.now - Date.parse(started)) / 60_000)} minutes, and nothing that can be read from here says why.`,
      evidence: [
        fromWaiting(pod, first),
        ...(events[0]
          ? [fromEvent(events[0])]
          : [computed(pod.ref, 'there is no event of it (events are kept for an hour)')]),
      ],
      certainty: 'possible',
      otherwise: [
        'a volume takes long to attach or to change its owner',
        'a large image is being pulled',
        'the kubelet or the runtime of the node hangs',
      ],
      remedy: {
        says: "Look at the node: its kubelet's log, its volumes, its runtime.",
        commands: [
          `kubectl describe pod ${pod.ref.name} -n ${pod.namespace}`,
          `journalctl -u kubelet --since -10m   # on node ${pod.spec.nodeName}`,
          `crictl ps -a   # on node ${pod.spec.nodeName}`,
        ],
      },
    };
  }
}

export const creatingForLong: Rule = {
  id: 'creating-for-long',
  title: 'The pod is being created for long, without a word',
  phase: 'create',
  codes: ['CRT-30', 'STO-20'],
  symptoms: ['ContainerCreating'],
  severity: 'warning',
  lint: 'never',
  rank: 20,
  meaning: 'The pod has a node, and its containers do not come. No event says why, or the events are gone.',
  tell: 'Nothing else fits. Volumes, images and references have been looked at.',
  fix: "The node's own logs.",
  sick: [
    {
      when: 'ten minutes have passed',
      yaml: '\nkind: Pod\nmetadata: {name: web}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus:\n  phase: Pending\n  startTime: "2026-01-01T11:50:01Z"\n  containerStatuses: [{name: app, image: nginx:1.27, ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}]\n',
      says: 'for 10 minutes',
    },
  ],
  healthy: [
    {
      when: 'it has just been bound',
      yaml: '\nkind: Pod\nmetadata: {name: web, creationTimestamp: "2026-01-01T11:59:50Z"}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus:\n  phase: Pending\n  startTime: "2026-01-01T11:59:51Z"\n  containerStatuses: [{name: app, image: nginx:1.27, ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}]\n',
    },
  ],
  check,
};
