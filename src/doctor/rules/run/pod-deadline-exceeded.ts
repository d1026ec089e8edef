import { fromSpec, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { healthyPod } from '../example-pods.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const { phase, reason, message } = pod.pod.status ?? {};
    if (phase !== 'Failed' || reason !== 'DeadlineExceeded') continue;
    const seconds = pod.spec.activeDeadlineSeconds ?? 0;
    const change = editPodSpec(snapshot, pod, [{ path: ['activeDeadlineSeconds'], value: seconds * 2 }]);
    yield {
      subject: pod.ref,
      says: `The pod was stopped because it ran longer than its activeDeadlineSeconds: ${seconds} allow.`,
      evidence: [
        fromStatus(pod.ref, `${reason}: ${message ?? ''}`, 'reason'),
        fromSpec(pod.ref, `activeDeadlineSeconds: ${seconds}`, 'spec.activeDeadlineSeconds'),
      ],
      field: fieldOf(pod, 'activeDeadlineSeconds'),
      remedy: {
        says: 'Raise the deadline, or find out why the work takes so long.',
        commands:
          change && pod.workload.kind !== 'Pod'
            ? [commandOf(change)]
            : [`kubectl logs ${pod.ref.name} -n ${pod.namespace} --all-containers`],
        verify: watchCommand(pod),
      },
    };
  }
}

const pod = (status: string): string => `
kind: Pod
metadata: {name: web}
spec: {nodeName: n1, activeDeadlineSeconds: 30, restartPolicy: Never, containers: [{name: app, image: "busybox:1.36", command: [sleep, "60"]}]}
status: ${status}
`;

export const podDeadlineExceeded: Rule = {
  id: 'pod-deadline-exceeded',
  title: 'The pod ran longer than its deadline',
  phase: 'run',
  codes: ['RUN-38'],
  symptoms: ['DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    '`activeDeadlineSeconds` bounds how long a pod may be active, counted from its start on the node (waiting for images included). When it is over, the kubelet stops the pod for good.',
  tell: 'Phase `Failed`, reason `DeadlineExceeded`.',
  fix: 'Raise or remove the deadline, or make the work faster.',
  sick: [
    {
      when: 'the deadline passed',
      yaml: pod(
        '{phase: Failed, reason: DeadlineExceeded, message: Pod was active on the node longer than the specified deadline}',
      ),
      says: '30',
    },
  ],
  healthy: [{ when: 'it runs', yaml: healthyPod({ spec: 'activeDeadlineSeconds: 3600' }) }],
  fault: {
    manifest: `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {activeDeadlineSeconds: 3, terminationGracePeriodSeconds: 1, restartPolicy: Never, containers: [{name: app, image: "busybox:1.36", command: [sleep, "600"]}]}
`,
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 15,
  },
  check,
};
