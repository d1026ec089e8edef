import { eventOf, fromEvent } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { runningPod } from './example.ts';

const pattern = /failed to (?:get|start) sandbox image "([^"]+)"/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    if (pod.pod.status?.phase !== 'Pending' || !pod.spec.nodeName) continue;
    const event = eventOf(snapshot, pod, ['FailedCreatePodSandBox'], pattern);
    if (!event || pod.containers.some((it) => it.running)) continue;
    const image = pattern.exec(event.message ?? '')?.[1] ?? '';
    yield {
      subject: pod.ref,
      says: `Node ${pod.spec.nodeName} cannot get the pause image ${image}, without which no pod can start there.`,
      evidence: [fromEvent(event)],
      cause: `node/${pod.spec.nodeName}`,
      remedy: {
        says: 'Load the pause image into the node, or point the runtime’s sandbox_image at a registry that it can reach.',
        commands: [
          `ctr -n k8s.io images pull ${image}   # on node ${pod.spec.nodeName}`,
          'containerd config dump | grep -n sandbox   # there: which image it wants',
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

const pod = `
kind: Pod
metadata: {name: web}
spec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}
status:
  phase: Pending
  containerStatuses: [{name: app, image: nginx:1.27, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}]
---
kind: Event
on: Pod/web
reason: FailedCreatePodSandBox
message: 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.9": failed to pull image "registry.k8s.io/pause:3.9": failed to pull and unpack image "registry.k8s.io/pause:3.9": failed to resolve reference "registry.k8s.io/pause:3.9": failed to do request: Head "https://registry.k8s.io/v2/pause/manifests/3.9": dial tcp 34.96.108.209:443: i/o timeout'
`;

export const sandboxImageUnavailable: Rule = {
  id: 'sandbox-image-unavailable',
  title: 'The pause image cannot be pulled',
  phase: 'image',
  codes: ['IMG-23'],
  symptoms: ['FailedCreatePodSandBox', 'failed to get sandbox image'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'Every pod begins with a small `pause` container that holds its network. The node does not have that image and cannot fetch it, so no new pod starts there. Usual in clusters without a way out.',
  tell: 'The event names the *sandbox* image, not one of the pod’s.',
  fix: 'Load the pause image into the node beforehand, or let the runtime take it from your own registry.',
  sick: [{ when: 'the node cannot reach the registry', yaml: pod, says: 'registry.k8s.io/pause:3.9' }],
  healthy: [{ when: 'the pod runs', yaml: runningPod('web', 'nginx:1.27') }],
  check,
};
