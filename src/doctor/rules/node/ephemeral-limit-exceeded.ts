import { fromSpec, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { evictedExample, evictedPods } from './nodes.ts';

const text =
  /^(?:Pod ephemeral local storage usage exceeds the total limit of containers (\S+?)\.|Container (\S+) exceeded its local ephemeral storage limit "([^"]+)"|Usage of EmptyDir volume "([^"]+)" exceeds the limit "([^"]+)")/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { pod, match, message } of evictedPods(snapshot, text)) {
    const [, total, container, limit, volume, size] = match;
    const index = pod.spec.volumes?.findIndex((it) => it.name === volume) ?? -1;
    const path = volume ? `volumes[${index}].emptyDir.sizeLimit` : 'containers';
    yield {
      subject: pod.ref,
      says: volume
        ? `The pod wrote more than ${size} into its emptyDir volume ${volume} and was evicted for it.`
        : container
          ? `Container ${container} wrote more than its limit of ${limit} to local disk (files outside of volumes, logs) and the pod was evicted for it.`
          : `The pod wrote more than its limit of ${total} to local disk (files, logs, emptyDir) and was evicted for it.`,
      evidence: [
        fromStatus(pod.ref, message.trim(), 'message'),
        fromSpec(
          pod.ref,
          volume ? `sizeLimit: ${size}` : `limits.ephemeral-storage: ${limit ?? total}`,
          `spec.${path}`,
        ),
      ],
      field: fieldOf(pod, path),
      remedy: {
        says: volume
          ? 'Raise sizeLimit, or write less there.'
          : 'Raise limits.ephemeral-storage, write to a volume, or log to the standard output only.',
        commands: [`kubectl get ${pod.workload.kind.toLowerCase()} ${pod.workload.name} -n ${pod.namespace} -o yaml`],
        verify: watchCommand(pod),
      },
    };
  }
}

export const ephemeralLimitExceeded: Rule = {
  id: 'ephemeral-limit-exceeded',
  title: 'The pod wrote more to local disk than it may',
  phase: 'node',
  codes: ['NOD-07', 'NOD-08'],
  symptoms: ['Evicted', 'ephemeral local storage usage exceeds', 'Usage of EmptyDir volume'],
  severity: 'error',
  lint: 'never',
  rank: 94,
  meaning:
    'Limits of ephemeral storage and `sizeLimit` of emptyDir are kept by eviction: the kubelet measures every ten seconds or so and ends the pod.',
  tell: 'Reason `Evicted` with one of the three texts. The node is not to blame.',
  fix: 'A larger limit, a volume for the data, fewer files.',
  sick: [
    {
      when: 'an emptyDir is too full',
      yaml: evictedExample(
        'Usage of EmptyDir volume "cache" exceeds the limit "64Mi". ',
        '  volumes: [{name: cache, emptyDir: {sizeLimit: 64Mi}}]',
      ),
      says: 'emptyDir volume cache',
    },
    {
      when: 'a container exceeds its limit',
      yaml: evictedExample('Container app exceeded its local ephemeral storage limit "1Gi". '),
      says: 'limit of 1Gi',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      volumes: [{name: cache, emptyDir: {sizeLimit: 2Mi}}]\n      containers: [{name: app, image: "busybox:1.36", command: [sh, -c, "dd if=/dev/zero of=/cache/fill bs=1M count=8; sleep 3600"], volumeMounts: [{name: cache, mountPath: /cache}]}]\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 30,
  },
  check,
};
