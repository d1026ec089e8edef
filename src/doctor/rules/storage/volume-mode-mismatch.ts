import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimsOf } from '../scheduling/claims.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const use of claimsOf(snapshot, pod)) {
      const mode = use.claim?.spec?.volumeMode ?? 'Filesystem';
      const volume = pod.spec.volumes?.[Number(use.path[1])]?.name;
      if (!use.claim) continue;
      for (const container of pod.containers) {
        const mounted = (container.spec.volumeMounts ?? []).some((it) => it.name === volume);
        const asDevice = (container.spec.volumeDevices ?? []).some((it) => it.name === volume);
        if (!((mode === 'Block' && mounted) || (mode === 'Filesystem' && asDevice))) continue;
        yield {
          subject: pod.ref,
          container: container.name,
          says: `The claim ${use.name} is ${mode === 'Block' ? 'a raw block device' : 'a file system'}, and container ${container.name} takes it as ${mode === 'Block' ? 'a file system (volumeMounts)' : 'a device (volumeDevices)'}.`,
          evidence: [
            fromSpec(use.ref, `volumeMode: ${mode}`, 'spec.volumeMode'),
            fromSpec(
              pod.ref,
              `${mounted ? 'volumeMounts' : 'volumeDevices'}: ${volume}`,
              `spec.${container.path}.${mounted ? 'volumeMounts' : 'volumeDevices'}`,
            ),
          ],
          field: containerField(pod, container, mounted ? 'volumeMounts' : 'volumeDevices'),
          remedy: {
            says: `Use ${mode === 'Block' ? 'volumeDevices with a devicePath' : 'volumeMounts with a mountPath'}, or a claim of the other mode.`,
            commands: ['kubectl explain pod.spec.containers.volumeDevices'],
            verify: watchCommand(pod),
          },
        };
      }
    }
}

export const volumeModeMismatch: Rule = {
  id: 'volume-mode-mismatch',
  title: 'Block device and file system are mixed up',
  phase: 'storage',
  codes: ['STO-15'],
  symptoms: ['FailedMount', 'has volumeMode Block, but is specified in volumeMounts'],
  severity: 'error',
  lint: 'set',
  rank: 93,
  meaning:
    'A claim of `volumeMode: Block` gives the container a device, one of `Filesystem` a directory; the container has to ask for the same.',
  tell: '`volume NAME has volumeMode Block, but is specified in volumeMounts` (or the reverse).',
  fix: '`volumeDevices` for Block, `volumeMounts` for Filesystem.',
  sick: [
    {
      when: 'a block claim is mounted',
      stage: 'manifests',
      yaml: '\nkind: PersistentVolumeClaim\nmetadata: {name: raw}\nspec: {accessModes: [ReadWriteOnce], volumeMode: Block, resources: {requests: {storage: 1Gi}}}\n---\nkind: Pod\nmetadata: {name: web}\nspec: {volumes: [{name: data, persistentVolumeClaim: {claimName: raw}}], containers: [{name: app, image: nginx:1.27, volumeMounts: [{name: data, mountPath: /data}]}]}\n',
      says: 'raw block device',
    },
  ],
  healthy: [],
  check,
};
