import { replicasets } from '../../../api/generated/resources.ts';
import type { V1Container, V1ReplicaSet } from '../../../api/generated/types.ts';
import { computed, fromEnd, fromLog } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { failures } from './crashes.ts';
import { lastWords } from './last-words.ts';

const revision = (it: V1ReplicaSet): number =>
  Number(it.metadata?.annotations?.['deployment.kubernetes.io/revision'] ?? 0);

/** The pod's ReplicaSet, and the newest older one that has ready pods. */
function revisions(
  snapshot: Snapshot,
  pod: PodFacts,
): { readonly own: V1ReplicaSet; readonly good: V1ReplicaSet } | undefined {
  const name = pod.pod.metadata?.ownerReferences?.find((it) => it.kind === 'ReplicaSet')?.name;
  const own = name === undefined ? undefined : snapshot.get(replicasets, name, pod.namespace);
  if (!own) return undefined;
  const good = snapshot
    .in(replicasets, pod.namespace)
    .filter(
      (it) =>
        it.metadata?.ownerReferences?.some((o) => o.kind === 'Deployment' && o.name === pod.workload.name) &&
        revision(it) < revision(own) &&
        (it.status?.readyReplicas ?? 0) > 0,
    )
    .sort((a, b) => revision(b) - revision(a))[0];
  return good && { own, good };
}

const fields = [
  'image',
  'command',
  'args',
  'env',
  'envFrom',
  'resources',
  'volumeMounts',
  'ports',
  'securityContext',
  'livenessProbe',
] as const;

/** What differs between two versions of a container, one line for each field. */
function changes(before: V1Container | undefined, after: V1Container | undefined): readonly string[] {
  const text = (it: unknown): string => (it === undefined ? 'none' : typeof it === 'string' ? it : JSON.stringify(it));
  return fields
    .filter((field) => text(before?.[field]) !== text(after?.[field]))
    .map((field) => `${field}: ${text(before?.[field])} → ${text(after?.[field])}`);
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, container, end } of failures(snapshot)) {
    const found = revisions(snapshot, pod);
    if (!found) continue;
    const of = (it: V1ReplicaSet): V1Container | undefined =>
      it.spec?.template?.spec?.containers.find((c) => c.name === container.name);
    const differ = changes(of(found.good), of(found.own));
    const log = snapshot.logs(pod, container.name).find((it) => it.text.trim() !== '');
    const words = log && lastWords(log.text);
    yield {
      subject: pod.ref,
      container: container.name,
      says: `Container ${container.name} crashes (exit code ${end.exitCode}) since revision ${revision(found.own)} of Deployment ${pod.workload.name}; revision ${revision(found.good)} still runs. ${differ.length > 0 ? `What changed: ${differ[0]?.slice(0, 160)}` : 'The container itself did not change, so something around it did'}.`,
      evidence: [
        ...(log && words ? [fromLog(pod, container.name, log, words)] : []),
        fromEnd(pod, container),
        ...differ.map((it) => computed(pod.workload, it)),
      ],
      certainty: 'likely',
      remedy: {
        says: 'Go back to the revision that runs, then look at the change.',
        commands: [
          `kubectl rollout undo deployment/${pod.workload.name} -n ${pod.namespace} --to-revision=${revision(found.good)}`,
        ],
        verify: watchCommand(pod),
      },
    };
  }
}

const set = (name: string, rev: number, image: string, ready: number): string => `---
kind: ReplicaSet
owner: Deployment/web
metadata: {name: ${name}, annotations: {deployment.kubernetes.io/revision: "${rev}"}}
spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "${image}"}]}}}
status: {replicas: 1, readyReplicas: ${ready}}
`;
const deployment = `---
kind: Deployment
metadata: {name: web}
spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "acme/shop:3"}]}}}
status: {replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}
`;

export const crashAfterRollout: Rule = {
  id: 'crash-after-rollout',
  title: 'It crashes since the last rollout; the version before runs',
  phase: 'run',
  codes: ['RUN-34'],
  symptoms: ['CrashLoopBackOff', 'ProgressDeadlineExceeded'],
  severity: 'error',
  lint: 'never',
  rank: 50,
  meaning:
    'Pods of the newest ReplicaSet crash while those of an older one are ready: the change between the two is to blame, in the image or in the template.',
  tell: 'Compare the two ReplicaSets; the differences are listed. A rule that knows the crash itself (memory, configuration, a missing host) goes before this one.',
  fix: '`kubectl rollout undo`.',
  sick: [
    {
      when: 'the new image crashes and the old one runs',
      yaml:
        crashingPod({ exit: 1, owner: 'ReplicaSet/web-2', image: 'acme/shop:3', log: 'Error: cannot start\n' }) +
        set('web-1', 1, 'acme/shop:2', 1) +
        set('web-2', 2, 'acme/shop:3', 0) +
        deployment,
      says: 'acme/shop:2 → acme/shop:3',
      also: ['rollout-stuck'],
    },
  ],
  healthy: [
    {
      when: 'the new one runs',
      yaml:
        healthyPod({ owner: 'ReplicaSet/web-2', image: 'acme/shop:3' }) +
        set('web-2', 2, 'acme/shop:3', 1) +
        deployment.replace('replicas: 2, ', 'replicas: 1, '),
    },
  ],
  check,
};
