import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { keyOf } from '../../reference.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { runningPod } from './example.ts';

/** The digest of `docker.io/library/nginx@sha256:…`, or the bare id. */
const digestOf = (imageId: string): string => imageId.replace(/^.*@/, '');

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage !== 'live') return;
  const first = new Map<string, { readonly pod: PodFacts; readonly digest: string }>();
  const told = new Set<string>();
  for (const pod of snapshot.pods) {
    if (pod.workload.kind === 'Pod' || pod.pod.metadata?.deletionTimestamp) continue;
    for (const it of pod.containers) {
      const id = it.status?.imageID;
      if (!id || it.image.includes('@') || !it.running) continue;
      const key = `${keyOf(pod.workload)}|${it.name}|${it.image}`;
      const digest = digestOf(id);
      const known = first.get(key);
      if (!known) first.set(key, { pod, digest });
      else if (known.digest !== digest && !told.has(key)) {
        told.add(key);
        yield {
          subject: pod.workload,
          container: it.name,
          says: `Pods of ${pod.workload.kind} ${pod.namespace}/${pod.workload.name} run different images under the one name ${it.image}: the tag was moved between their starts.`,
          evidence: [
            fromStatus(known.pod.ref, known.digest, `containerStatuses[${it.name}].imageID`),
            fromStatus(pod.ref, digest, `containerStatuses[${it.name}].imageID`),
          ],
          remedy: {
            says: 'Pin the image by digest, or give every build a tag of its own.',
            commands: [
              `kubectl set image ${pod.workload.kind.toLowerCase()}/${pod.workload.name} ${it.name}=${it.image.replace(/:[^:/]+$/, '')}@${digest} -n ${pod.namespace}`,
            ],
          },
        };
      }
    }
  }
}

const replica = (name: string, digest: string): string =>
  runningPod(name, 'acme/shop:latest')
    .replace('kind: Pod\n', 'kind: Pod\nowner: StatefulSet/shop\n')
    .replace('sha256:1', digest);

const set = `
---
kind: StatefulSet
metadata: {name: shop}
spec: {replicas: 2, serviceName: shop, selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: app, image: "acme/shop:latest"}]}}}
status: {replicas: 2, readyReplicas: 2, updatedReplicas: 2, currentReplicas: 2, currentRevision: a, updateRevision: a, availableReplicas: 2}
---
kind: Service
metadata: {name: shop}
spec: {clusterIP: None, selector: {app: shop}}
`;

export const imageTagDrift: Rule = {
  id: 'image-tag-drift',
  title: 'One tag, two images',
  phase: 'image',
  codes: ['IMG-25'],
  symptoms: ['imageID differs between replicas'],
  severity: 'warning',
  lint: 'cluster',
  rank: 60,
  meaning:
    'A tag such as `latest` was pushed again while pods were running. Nodes that had the old image keep it (`IfNotPresent`), others fetch the new one, and replicas behave differently.',
  tell: '`imageID` in the status differs between pods of one workload with the same `image`.',
  fix: 'Pin a digest, or never push a tag twice.',
  sick: [
    {
      when: 'two replicas have two digests',
      yaml: `${replica('shop-0', 'sha256:aaa')}${replica('shop-1', 'sha256:bbb')}${set}`,
      says: 'different images',
    },
  ],
  healthy: [
    { when: 'all have one digest', yaml: `${replica('shop-0', 'sha256:aaa')}${replica('shop-1', 'sha256:aaa')}${set}` },
  ],
  check,
};
