import { fromEnd, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';

const pattern = /exec: "(\/[^"]+)": stat \S+: no such file or directory/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const program = pattern.exec(container.lastEnd?.message ?? container.waiting?.message ?? '')?.[1];
      if (!program) continue;
      const index =
        container.spec.volumeMounts?.findIndex(
          (it) => !it.subPath && program.startsWith(`${it.mountPath.replace(/\/$/, '')}/`),
        ) ?? -1;
      const mount = container.spec.volumeMounts?.[index];
      if (!mount) continue;
      const path = `volumeMounts[${index}].mountPath`;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The program ${program} cannot be found: volume ${mount.name} is mounted over ${mount.mountPath} and hides what the image has there.`,
        evidence: [
          fromEnd(pod, container),
          fromSpec(pod.ref, `mountPath: ${mount.mountPath}`, `spec.${container.path}.${path}`),
        ],
        certainty: 'likely',
        field: containerField(pod, container, path),
        remedy: {
          says: 'Mount the volume elsewhere, or single files of it with subPath.',
          commands: [
            `kubectl edit ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace}   # ${container.path}.${path}`,
          ],
          verify: watchCommand(pod),
        },
      };
    }
}

const message =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/app/run": stat /app/run: no such file or directory: unknown';
const spec = 'volumes: [{name: data, emptyDir: {}}]';
const container = 'command: ["/app/run"]\nvolumeMounts: [{name: data, mountPath: /app}]';

export const mountHidesProgram: Rule = {
  id: 'mount-hides-program',
  title: 'A volume is mounted over the program',
  phase: 'config',
  codes: ['CFG-24'],
  symptoms: ['StartError', 'stat …: no such file or directory'],
  severity: 'error',
  lint: 'never',
  rank: 93,
  meaning:
    'A volume takes the place of the image’s directory at its `mountPath`; everything that the image had there is out of sight, the program to be run included.',
  tell: 'The missing program lies below a `mountPath` of the container.',
  fix: 'Choose another `mountPath`, or mount single files with `subPath`.',
  sick: [
    {
      when: 'an empty volume covers the program',
      yaml: crashingPod({ exit: 128, reason: 'StartError', message, spec, container }),
      says: 'mounted over /app',
    },
  ],
  healthy: [
    {
      when: 'the volume is elsewhere',
      yaml: healthyPod({ spec, container: container.replace('mountPath: /app', 'mountPath: /data') }),
    },
  ],
  fault: {
    manifest: deploymentManifest({
      spec: 'volumes: [{name: data, emptyDir: {}}]',
      container: 'command: ["/bin/sleep", "3600"]\nvolumeMounts: [{name: data, mountPath: /bin}]',
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
