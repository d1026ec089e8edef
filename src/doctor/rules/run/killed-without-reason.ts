import { computed, eventOf, fromCondition, fromEnd, fromEvent } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { type Crash, crashes } from './crashes.ts';

interface Verdict {
  readonly says: string;
  readonly evidence: readonly Evidence[];
  readonly rank: number;
  readonly fix: string;
}

/** The order of proof for SIGKILL: OOMKilled and SystemOOM are other rules; then a probe, then a disruption, then nobody knows. */
function judge(snapshot: Snapshot, { pod, container }: Crash): Verdict {
  const probe = eventOf(
    snapshot,
    pod,
    ['Killing'],
    /failed (?:liveness|startup) probe, will be restarted/,
    container.name,
  );
  if (probe)
    return {
      says: `Container ${container.name} was killed by the kubelet after a failed probe, and did not end within its grace period when asked to (exit code 137); this was no lack of memory.`,
      evidence: [fromEvent(probe)],
      rank: 55,
      fix: 'Repair what the probe checks, and let the program end on SIGTERM.',
    };
  const disruption = disruptionOf(pod);
  if (disruption)
    return {
      says: `Container ${container.name} was killed (exit code 137) because the pod was being moved away: ${disruption.reason}.`,
      evidence: [fromCondition(pod.ref, 'DisruptionTarget', `${disruption.reason}: ${disruption.message ?? ''}`)],
      rank: 55,
      fix: 'Nothing, if the disruption was wanted; a PodDisruptionBudget and more replicas soften it.',
    };
  const limit = container.spec.resources?.limits?.['memory'];
  return {
    says: `Container ${container.name} was killed with SIGKILL (exit code 137), and nothing proves by whom: it was not marked OOMKilled, no probe killed it, nobody moved the pod.`,
    evidence: [
      computed(
        pod.ref,
        `looked for and not found: reason OOMKilled, SystemOOM on node ${pod.spec.nodeName}, a Killing event for a probe, condition DisruptionTarget; memory limit ${limit ?? 'none'}`,
      ),
    ],
    rank: 45,
    fix: 'Look at memory while it runs: a child process that is killed for memory, or a race in the runtime, can hide the OOM; else something inside sent the signal.',
  };
}

const disruptionOf = (pod: PodFacts) =>
  pod.pod.status?.conditions?.find((it) => it.type === 'DisruptionTarget' && it.status === 'True');

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of crashes(snapshot)) {
    const { pod, container, end } = it;
    if (end.exitCode !== 137 || end.reason === 'OOMKilled' || end.reason === 'ContainerStatusUnknown') continue;
    const verdict = judge(snapshot, it);
    yield {
      subject: pod.ref,
      container: container.name,
      says: verdict.says,
      evidence: [fromEnd(pod, container), ...verdict.evidence],
      rank: verdict.rank,
      certainty: verdict.rank > 50 ? 'likely' : 'possible',
      ...(verdict.rank < 50 && {
        otherwise: [
          'a process inside was killed for memory, and the runtime did not notice',
          'the container was stopped by hand or by the runtime, and did not end within its grace period',
        ],
      }),
      remedy: {
        says: verdict.fix,
        commands: [
          `kubectl top pod ${pod.ref.name} -n ${pod.namespace} --containers`,
          `kubectl get events -n ${pod.namespace} --field-selector involvedObject.name=${pod.ref.name}`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

export const killedWithoutReason: Rule = {
  id: 'killed-without-reason',
  title: 'Exit code 137 without OOMKilled',
  phase: 'run',
  codes: ['RUN-03'],
  symptoms: ['exit code 137', 'SIGKILL', 'CrashLoopBackOff'],
  severity: 'error',
  lint: 'never',
  rank: 45,
  meaning:
    '137 means that the process was ended by SIGKILL (128 + 9). That can be a lack of memory, but also a probe, an eviction, or somebody’s `kill -9`.',
  tell: 'In this order: `reason: OOMKilled`; a `SystemOOM` event of the node; a `Killing` event because of a probe; the condition `DisruptionTarget`. Where none is there, the reason is not known, and this rule says so instead of guessing.',
  fix: 'By what was found; see the finding.',
  sick: [{ when: 'nothing tells why', yaml: crashingPod({ exit: 137 }), says: 'nothing proves by whom' }],
  healthy: [{ when: 'it runs', yaml: healthyPod() }],
  fault: {
    manifest: `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: app, image: "busybox:1.36", command: [sh, -c, "sleep 1; exit 137"]}]
`,
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  check,
};
