import { fromEnd } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { startExample } from './example.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (container.lastEnd?.reason !== 'ContainerStatusUnknown' || container.running) continue;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `Nobody knows how container ${container.name} ended: the kubelet found it gone (node ${pod.spec.nodeName} restarted, was drained of disk, or lost its runtime's state). Its exit code 137 is made up.`,
        evidence: [fromEnd(pod, container)],
        cause: `lost/${pod.spec.nodeName}`,
        because: [{ kind: 'Node', name: pod.spec.nodeName ?? '' }],
        remedy: {
          says: 'Look at what happened to the node; delete the pod if its controller has not replaced it.',
          commands: [
            `kubectl describe node ${pod.spec.nodeName}`,
            `kubectl delete pod ${pod.ref.name} -n ${pod.namespace}`,
          ],
        },
      };
    }
}

export const containerStateLost: Rule = {
  id: 'container-state-lost',
  title: 'How the container ended is not known',
  phase: 'create',
  codes: ['CRT-37'],
  symptoms: ['ContainerStatusUnknown', 'exit code 137'],
  severity: 'warning',
  lint: 'never',
  rank: 85,
  meaning:
    'The kubelet had a running container on record and could not find it any more. It then writes `ContainerStatusUnknown` and 137; neither memory nor a signal need have been the reason.',
  tell: 'Reason `ContainerStatusUnknown`, message *The container could not be located when the pod was terminated*.',
  fix: 'Treat it as a matter of the node: reboot, eviction, a wiped runtime.',
  sick: [
    {
      when: 'the kubelet could not find it',
      yaml: startExample({
        reason: 'ContainerStatusUnknown',
        ended: true,
        exitCode: 137,
        message: 'The container could not be located when the pod was terminated',
      }),
      says: 'made up',
    },
  ],
  healthy: [],
  check,
};
