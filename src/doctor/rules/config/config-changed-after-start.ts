import { configmaps } from '../../../api/generated/resources.ts';
import type { KubeObject } from '../../../api/resource.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { healthyPod } from '../example-pods.ts';
import { configReferences } from './references.ts';

/** When the object's content was last written, milliseconds: the newest time among its managers. */
function changedAt(object: KubeObject): number | undefined {
  const times = (object.metadata?.managedFields ?? [])
    .map((it) => Date.parse(it.time ?? ''))
    .filter((it) => !Number.isNaN(it));
  return times.length > 0 ? Math.max(...times) : undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage !== 'live') return;
  for (const pod of snapshot.pods) {
    for (const it of configReferences(pod)) {
      // Volumes follow changes by themselves; variables do not.
      if (it.container === undefined || it.kind !== 'ConfigMap') continue;
      const container = pod.containers.find((c) => c.name === it.container);
      const started = container?.running?.startedAt;
      const object = snapshot.get(configmaps, it.name, pod.namespace);
      const changed = object && changedAt(object);
      if (!started || changed === undefined || changed <= Date.parse(started)) continue;
      const { kind, name } = pod.workload;
      yield {
        subject: pod.workload,
        says: `ConfigMap ${pod.namespace}/${it.name} was changed after container ${it.container} started; variables keep their old values until it starts anew.`,
        evidence: [
          computed(
            { kind: 'ConfigMap', namespace: pod.namespace, name: it.name },
            `changed at ${new Date(changed).toISOString()}`,
          ),
          computed(pod.ref, `container ${it.container} started at ${started}`),
        ],
        certainty: 'likely',
        cause: `${pod.namespace}/${it.name}/${kind}/${name}`,
        remedy: {
          says: 'Restart the workload if the new values matter.',
          commands: [
            kind === 'Pod'
              ? `kubectl delete pod ${name} -n ${pod.namespace}`
              : `kubectl rollout restart ${kind.toLowerCase()}/${name} -n ${pod.namespace}`,
          ],
          verify: watchCommand(pod),
        },
      };
    }
  }
}

const container = 'envFrom: [{configMapRef: {name: app-config}}]';
const map = (time: string): string => `---
kind: ConfigMap
metadata: {name: app-config, managedFields: [{manager: kubectl, operation: Update, time: "${time}"}]}
data: {a: b}
`;

export const configChangedAfterStart: Rule = {
  id: 'config-changed-after-start',
  title: 'The configuration changed after the program started',
  phase: 'config',
  codes: ['CFG-16'],
  symptoms: ['the program uses old values'],
  severity: 'info',
  lint: 'never',
  rank: 15,
  meaning:
    'Environment variables are set once, when a container starts. A ConfigMap that is changed later reaches volumes within a minute or so (not those with `subPath`), variables never.',
  tell: 'The newest time in the ConfigMap’s `managedFields` is after the container’s `startedAt`.',
  fix: 'Restart the workload. To have it happen by itself, put a checksum of the configuration into an annotation of the pod template.',
  sick: [
    {
      when: 'the ConfigMap is newer than the container',
      yaml: healthyPod({ container }) + map('2026-01-01T11:55:00Z'),
      says: 'old values',
    },
  ],
  healthy: [{ when: 'the container is newer', yaml: healthyPod({ container }) + map('2026-01-01T11:40:00Z') }],
  check,
};
