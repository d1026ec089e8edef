import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    if (pod.workload.kind !== 'Job' && pod.workload.kind !== 'CronJob') continue;
    const mains = pod.containers.filter((it) => it.role === 'main');
    const done = mains.filter((it) => it.terminated?.exitCode === 0);
    const alive = mains.filter((it) => it.running);
    if (done.length === 0 || alive.length === 0 || done.length + alive.length !== mains.length) continue;
    const names = alive.map((it) => it.name).join(', ');
    yield {
      subject: pod.ref,
      says: `The work of the Job is done (${done.map((it) => it.name).join(', ')} ended with 0), but container ${names} goes on, so the pod never completes.`,
      evidence: [
        ...done.map((it) =>
          fromStatus(
            pod.ref,
            `Completed, exit code 0 at ${it.terminated?.finishedAt}`,
            `containerStatuses[${it.name}].state.terminated`,
          ),
        ),
        ...alive.map((it) =>
          fromStatus(pod.ref, `running since ${it.running?.startedAt}`, `containerStatuses[${it.name}].state.running`),
        ),
      ],
      field: fieldOf(pod, 'containers'),
      remedy: {
        says: `Make ${names} a native sidecar: move it to initContainers with restartPolicy: Always; it is then ended with the work.`,
        commands: ['kubectl explain pod.spec.initContainers.restartPolicy'],
      },
    };
  }
}

export const sidecarKeepsJobAlive: Rule = {
  id: 'sidecar-keeps-job-alive',
  title: 'A sidecar keeps the Job from completing',
  phase: 'create',
  codes: ['CRT-36'],
  symptoms: ['NotReady', 'Job never completes'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'A pod of a Job is done when all its containers are. An ordinary second container (proxy, log shipper, service mesh) never ends by itself.',
  tell: 'One container `Completed`, another running; status `NotReady`.',
  fix: 'A native sidecar (init container with `restartPolicy: Always`, Kubernetes 1.29 and later).',
  sick: [
    {
      when: 'the main container has ended and the proxy runs',
      yaml: `
kind: Job
metadata: {name: report}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox:1.36}, {name: proxy, image: envoy:1}]}}}
---
kind: Pod
metadata: {name: report-1}
owner: Job/report
spec: {nodeName: n1, restartPolicy: Never, containers: [{name: main, image: busybox:1.36}, {name: proxy, image: envoy:1}]}
status:
  phase: Running
  conditions: [{type: Ready, status: "False", reason: ContainersNotReady}]
  containerStatuses:
  - {name: main, image: busybox:1.36, ready: false, restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed, finishedAt: "2026-01-01T11:55:00Z"}}}
  - {name: proxy, image: envoy:1, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:00Z"}}}
`,
      says: 'container proxy goes on',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: batch/v1\nkind: Job\nmetadata: {name: report}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: "busybox:1.36", command: [sh, -c, sleep 1]}, {name: proxy, image: "busybox:1.36", command: [sleep, "3600"]}]}}}\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
