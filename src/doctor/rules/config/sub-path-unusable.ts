import { eventOf, fromEvent, fromSpec, fromWaiting } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { healthyPod, waitingPod } from '../example-pods.ts';

const pattern =
  /failed to prepare subPath for volumeMount "([^"]+)" of container "([^"]+)"|failed to create subPath directory for volumeMount "([^"]+)" of container "([^"]+)"/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (container.waiting?.reason !== 'CreateContainerConfigError') continue;
      const match = pattern.exec(container.waiting.message ?? '');
      if (!match) continue;
      const volume = match[1] ?? match[3] ?? '';
      const index =
        container.spec.volumeMounts?.findIndex((it) => it.name === volume && (it.subPath || it.subPathExpr)) ?? -1;
      const mount = container.spec.volumeMounts?.[index];
      const path = `volumeMounts[${Math.max(0, index)}].subPath`;
      const event = eventOf(snapshot, pod, ['Failed'], /subPath/, container.name);
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The subPath "${mount?.subPath ?? mount?.subPathExpr ?? ''}" of volume ${volume} cannot be made ready for container ${container.name}: it is a link, a file where a directory has to be, or cannot be written.`,
        evidence: [
          fromWaiting(pod, container),
          ...(event ? [fromEvent(event)] : []),
          fromSpec(pod.ref, `subPath: ${mount?.subPath ?? mount?.subPathExpr ?? ''}`, `spec.${container.path}.${path}`),
        ],
        field: containerField(pod, container, path),
        remedy: {
          says: 'Correct the subPath, or make the directory in the volume beforehand (an init container can).',
          commands: [
            `kubectl edit ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace}   # ${container.path}.${path}`,
          ],
          verify: watchCommand(pod),
        },
      };
    }
}

const container = 'volumeMounts: [{name: data, mountPath: /data, subPath: in/out}]';
const spec = 'volumes: [{name: data, emptyDir: {}}]';

export const subPathUnusable: Rule = {
  id: 'sub-path-unusable',
  title: 'A subPath cannot be prepared',
  phase: 'config',
  codes: ['CFG-14'],
  symptoms: [
    'CreateContainerConfigError',
    'failed to prepare subPath for volumeMount',
    'failed to create subPath directory',
  ],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'A mount takes only a part of a volume (`subPath`), and the kubelet cannot open or make that part: a symbolic link, a file in the way, a read-only volume.',
  tell: 'The message names the mount and the container.',
  fix: 'Correct the `subPath`, or prepare it in the volume.',
  sick: [
    {
      when: 'the part cannot be opened',
      yaml: waitingPod(
        'CreateContainerConfigError',
        'failed to prepare subPath for volumeMount "data" of container "app"',
        { container, spec },
      ),
      says: 'in/out',
    },
  ],
  healthy: [{ when: 'it runs', yaml: healthyPod({ container, spec }) }],
  check,
};
