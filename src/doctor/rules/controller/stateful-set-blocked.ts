import { statefulsets } from '../../../api/generated/resources.ts';
import { fromSpec, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  for (const it of snapshot.all(statefulsets)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const name = it.metadata?.name ?? '';
    const ref = { kind: 'StatefulSet', namespace, name };
    const { currentRevision, updateRevision } = it.status ?? {};
    const pods = snapshot.podsOf(ref);
    const notReady = pods.filter(
      (pod) => !pod.pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    );
    const revisionOf = (pod: (typeof pods)[number]): string | undefined =>
      pod.pod.metadata?.labels?.['controller-revision-hash'];
    const stale = notReady.find(
      (pod) =>
        updateRevision !== undefined &&
        currentRevision !== updateRevision &&
        revisionOf(pod) !== undefined &&
        revisionOf(pod) !== updateRevision,
    );
    if (stale && it.spec?.updateStrategy?.type !== 'OnDelete') {
      yield {
        subject: ref,
        says: `The StatefulSet ${name} does not replace its broken pod ${stale.ref.name}, which is of an older revision: it waits for it to become ready, which it never does.`,
        evidence: [
          fromStatus(ref, `currentRevision ${currentRevision}, updateRevision ${updateRevision}`, 'updateRevision'),
          fromStatus(stale.ref, `revision ${revisionOf(stale)}, not ready`),
        ],
        explains: [stale.ref],
        rank: 93,
        remedy: {
          says: 'Delete the broken pod; it is made anew from the repaired template.',
          commands: [`kubectl delete pod ${stale.ref.name} -n ${namespace}`],
          actions: [{ kind: 'delete', target: stale.ref }],
          verify: `kubectl rollout status statefulset/${name} -n ${namespace}`,
        },
      };
      continue;
    }
    const wanted = it.spec?.replicas ?? 1;
    const [first] = [...notReady].sort((a, b) => (a.ref.name < b.ref.name ? -1 : 1));
    if (!first || pods.length >= wanted || it.spec?.podManagementPolicy === 'Parallel') continue;
    yield {
      subject: ref,
      says: `The StatefulSet ${name} has ${pods.length} of ${wanted} pods: it makes them in order, and ${first.ref.name} is not ready.`,
      evidence: [
        fromSpec(
          ref,
          `podManagementPolicy: ${it.spec?.podManagementPolicy ?? 'OrderedReady'}, replicas: ${wanted}`,
          'spec',
        ),
        fromStatus(first.ref, 'not ready'),
      ],
      because: [first.ref],
      rank: 5,
      remedy: {
        says: `Repair ${first.ref.name}; or use podManagementPolicy: Parallel where the order does not matter.`,
        commands: [`kubectl describe pod ${first.ref.name} -n ${namespace}`],
      },
    };
  }
}

export const statefulSetBlocked: Rule = {
  id: 'stateful-set-blocked',
  title: 'The StatefulSet waits for one of its pods',
  phase: 'controller',
  codes: ['CTL-16', 'CTL-17'],
  symptoms: ['OrderedReady', 'StatefulSet 1/3'],
  severity: 'error',
  lint: 'never',
  rank: 5,
  meaning:
    'Pods of a StatefulSet come one after the other. One that is not ready holds up the rest; and after a bad template it is not replaced by itself, even when the template is repaired.',
  tell: 'Fewer pods than replicas, the last one not ready; or `currentRevision` and `updateRevision` differ and a pod of the old one is broken.',
  fix: 'Repair the pod; after a repaired template, delete the broken pod by hand.',
  sick: [
    {
      when: 'a broken pod is of an older revision',
      yaml: '\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 1, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app, image: nginx:1.27}]}}}\nstatus: {replicas: 1, currentRevision: db-1, updateRevision: db-2}\n---\nkind: Pod\nmetadata: {name: db-0, labels: {app: db, controller-revision-hash: db-1}}\nowner: StatefulSet/db\nspec: {nodeName: n1, containers: [{name: app, image: nginx:9}]}\nstatus: {phase: Pending, conditions: [{type: Ready, status: "False"}]}\n',
      says: 'does not replace its broken pod db-0',
    },
  ],
  healthy: [],
  check,
};
