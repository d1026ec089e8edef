import { computed, fromSpec, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { evictedExample, evictedPods, nodeRef } from './nodes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, match, message } of evictedPods(snapshot, /^The node was low on resource: ([\w.-]+)/)) {
    const resource = match[1] ?? '';
    const used = /Container (\S+) was using (\S+), request is (\S+?), has larger consumption of/.exec(message);
    const healthy = snapshot
      .podsOf(pod.workload)
      .some((other) => other.pod.status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True'));
    yield {
      subject: pod.ref,
      says: `The pod was evicted since node ${pod.spec.nodeName} ran short of ${resource}${used ? `; its container ${used[1]} used ${used[2]} and had requested ${used[3]}` : ''}.`,
      evidence: [
        fromStatus(pod.ref, message, 'message'),
        ...(used ? [fromSpec(pod.ref, `requests.${resource} ${used[3]}`, 'spec.containers')] : []),
        ...(healthy ? [computed(pod.workload, 'another pod of the workload is ready')] : []),
      ],
      severity: healthy ? 'warning' : 'error',
      cause: `evicted/${pod.spec.nodeName}/${resource}`,
      because: [nodeRef(pod.spec.nodeName ?? '')],
      remedy: {
        says: `Request as much ${resource} as the container needs (pods that use more than they asked for go first), and find what fills the node.`,
        commands: [
          `kubectl describe node ${pod.spec.nodeName}`,
          `kubectl delete pod ${pod.ref.name} -n ${pod.namespace}   # the record of it; its controller has made another`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

export const evictedForNode: Rule = {
  id: 'evicted-for-node',
  title: 'The pod was evicted since its node ran short',
  phase: 'node',
  codes: ['NOD-04', 'NOD-05', 'NOD-06'],
  symptoms: ['Evicted', 'The node was low on resource'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'The kubelet ended the pod to save the node. Evicted pods stay as Failed records; a controller makes new ones.',
  tell: 'Phase Failed, reason `Evicted`, *The node was low on resource: NAME*, with who used most.',
  fix: 'True requests; limits on ephemeral storage; less load on the node.',
  sick: [
    {
      when: 'the node ran short of ephemeral storage',
      yaml: evictedExample(
        'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. Container app was using 5Gi, request is 0, has larger consumption of ephemeral-storage. ',
      ),
      says: 'app used 5Gi',
    },
  ],
  healthy: [],
  check,
};
