import { jobs } from '../../../api/generated/resources.ts';
import { fromCondition } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

const words: Readonly<Record<string, string>> = {
  BackoffLimitExceeded: 'its pods failed more often than backoffLimit allows',
  DeadlineExceeded: 'it took longer than activeDeadlineSeconds',
  PodFailurePolicy: 'a rule of its podFailurePolicy says that such a failure is final',
  MaxFailedIndexesExceeded: 'more of its indexes failed than maxFailedIndexes allows',
  FailedIndexes: 'some of its indexes failed',
};

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  for (const it of snapshot.all(jobs)) {
    const condition = it.status?.conditions?.find((c) => c.type === 'Failed' && c.status === 'True');
    if (!condition) continue;
    const namespace = it.metadata?.namespace ?? 'default';
    const owner = it.metadata?.ownerReferences?.find((o) => o.kind === 'CronJob');
    // Of a CronJob's runs only the newest counts.
    if (
      owner &&
      snapshot
        .in(jobs, namespace)
        .some(
          (other) =>
            other.metadata?.ownerReferences?.some((o) => o.name === owner.name) &&
            (other.metadata?.creationTimestamp ?? '') > (it.metadata?.creationTimestamp ?? ''),
        )
    )
      continue;
    const ref = { kind: 'Job', namespace, name: it.metadata?.name ?? '' };
    const pods = snapshot
      .podsOf(owner ? { kind: 'CronJob', namespace, name: owner.name } : ref)
      .filter((pod) => pod.pod.metadata?.ownerReferences?.some((o) => o.name === ref.name));
    yield {
      subject: ref,
      says: `The Job ${ref.name} has failed for good: ${words[condition.reason ?? ''] ?? condition.message ?? condition.reason}.`,
      evidence: [fromCondition(ref, 'Failed', `${condition.reason}: ${condition.message ?? ''}`)],
      because: pods.map((pod) => pod.ref),
      rank: 10,
      remedy: {
        says:
          condition.reason === 'DeadlineExceeded'
            ? 'See why it took so long; raise activeDeadlineSeconds.'
            : 'See why its pods failed (their logs, while they are kept), then run it anew.',
        commands: [
          `kubectl logs job/${ref.name} -n ${namespace}`,
          `kubectl get job ${ref.name} -n ${namespace} -o json | jq 'del(.spec.selector, .spec.template.metadata.labels, .status, .metadata.uid, .metadata.resourceVersion)' | kubectl replace --force -f -`,
        ],
        verify: `kubectl get job ${ref.name} -n ${namespace}`,
      },
    };
  }
}

export const jobFailed: Rule = {
  id: 'job-failed',
  title: 'The Job has failed for good',
  phase: 'controller',
  codes: ['CTL-20', 'CTL-21', 'CTL-22'],
  symptoms: ['BackoffLimitExceeded', 'DeadlineExceeded', 'PodFailurePolicy', 'MaxFailedIndexesExceeded'],
  severity: 'error',
  lint: 'never',
  rank: 10,
  meaning:
    'A Job gives up after `backoffLimit` failures, after `activeDeadlineSeconds`, or by its own policy. It does not try again.',
  tell: 'Condition `Failed` with the reason. The cause is with its pods.',
  fix: 'Repair what the pods died of, and create the Job anew.',
  sick: [
    {
      when: 'the back-off limit is reached and its pods are gone',
      yaml: '\nkind: Job\nmetadata: {name: report}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox:1.36}]}}}\nstatus: {failed: 7, conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]}\n',
      says: 'more often than backoffLimit allows',
    },
  ],
  healthy: [],
  check,
};
