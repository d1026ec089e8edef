import { leases } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** A scheduler that lives sees a new pod within seconds. */
const patienceMs = 30_000;

function* check(snapshot: Snapshot): Iterable<Claim> {
  const unseen = snapshot.troubled.filter(
    ({ pod, spec, planned }) =>
      !planned &&
      !spec.nodeName &&
      (spec.schedulerName ?? 'default-scheduler') === 'default-scheduler' &&
      (spec.schedulingGates ?? []).length === 0 &&
      !pod.metadata?.deletionTimestamp &&
      !pod.status?.conditions?.some((it) => it.type === 'PodScheduled') &&
      snapshot.now - Date.parse(pod.metadata?.creationTimestamp ?? '') > patienceMs,
  );
  if (unseen.length === 0) return;
  const lease = snapshot.get(leases, 'kube-scheduler', 'kube-system');
  const renewed = lease?.spec?.renewTime ? Date.parse(lease.spec.renewTime) : undefined;
  const age = renewed === undefined ? undefined : Math.round((snapshot.now - renewed) / 1000);
  if (age !== undefined && age < 30) return;
  for (const pod of unseen)
    yield {
      subject: pod.ref,
      says: `The scheduler does not work: the pod has been waiting for ${Math.round((snapshot.now - Date.parse(pod.pod.metadata?.creationTimestamp ?? '')) / 1000)} s and nobody has looked at it${age === undefined ? '' : `, and kube-scheduler last gave a sign of life ${age} s ago`}.`,
      evidence: [
        computed(pod.ref, 'no PodScheduled condition, no FailedScheduling event'),
        ...(age === undefined
          ? []
          : [
              computed(
                { kind: 'Lease', namespace: 'kube-system', name: 'kube-scheduler' },
                `renewed at ${lease?.spec?.renewTime} by ${lease?.spec?.holderIdentity}`,
              ),
            ]),
      ],
      certainty: age === undefined ? 'likely' : 'certain',
      cause: 'scheduler-down',
      remedy: {
        says: 'Repair kube-scheduler on the control plane.',
        commands: [
          'kubectl get pods -n kube-system -l component=kube-scheduler',
          'kubectl get lease kube-scheduler -n kube-system -o yaml',
          'kubectl logs -n kube-system -l component=kube-scheduler --tail=50',
        ],
        verify: `kubectl get pod ${pod.ref.name} -n ${pod.namespace}`,
      },
    };
}

const pod =
  '\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Pending}\n';
const lease = (at: string): string =>
  `---\nkind: Lease\nmetadata: {name: kube-scheduler, namespace: kube-system}\nspec: {holderIdentity: cp-1, renewTime: "${at}"}\n`;

export const schedulerDown: Rule = {
  id: 'scheduler-down',
  title: 'The scheduler does not work',
  phase: 'scheduling',
  codes: ['SCH-34'],
  symptoms: ['Pending', 'no events'],
  severity: 'error',
  lint: 'never',
  rank: 95,
  meaning: 'No new pod gets a node, nor a word why. kube-scheduler is down, or cannot reach the API server.',
  tell: 'Pods without a `PodScheduled` condition; the Lease `kube-system/kube-scheduler` is stale.',
  fix: 'Repair the control plane.',
  sick: [
    {
      when: "the scheduler's lease is stale",
      yaml: pod + lease('2026-01-01T11:40:00.000000Z'),
      says: 'last gave a sign of life 1200 s ago',
    },
  ],
  healthy: [
    {
      when: 'the lease is fresh',
      yaml:
        pod.replace('name: web', 'name: web, creationTimestamp: "2026-01-01T11:59:55Z"') +
        lease('2026-01-01T11:59:58.000000Z'),
    },
  ],
  check,
};
