import { deployments, persistentvolumeclaims } from '../../../api/generated/resources.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'live') return;
  for (const it of snapshot.all(deployments)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const ref = { kind: 'Deployment', namespace, name: it.metadata?.name ?? '' };
    const replicas = it.spec?.replicas ?? 1;
    const recreate = it.spec?.strategy?.type === 'Recreate';
    for (const [i, volume] of (it.spec?.template?.spec?.volumes ?? []).entries()) {
      const name = volume.persistentVolumeClaim?.claimName;
      const claim = name ? snapshot.get(persistentvolumeclaims, name, namespace) : undefined;
      const modes = claim?.spec?.accessModes ?? [];
      if (!claim || modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')) continue;
      if (replicas <= 1 && recreate) continue;
      yield {
        subject: ref,
        says:
          replicas > 1
            ? `The Deployment ${ref.name} runs ${replicas} pods on one claim (${name}) that a single node may use at a time (${modes.join(', ')}).`
            : `The Deployment ${ref.name} updates by starting a new pod before the old one ends, and both want the claim ${name}, which a single node may use at a time.`,
        evidence: [
          fromSpec(ref, `replicas: ${replicas}, strategy: ${it.spec?.strategy?.type ?? 'RollingUpdate'}`, 'spec'),
          fromSpec(
            { kind: 'PersistentVolumeClaim', namespace, name: name ?? '' },
            `accessModes: ${modes.join(', ')}`,
            'spec.accessModes',
          ),
        ],
        severity: replicas > 1 ? 'warning' : 'info',
        field: { object: ref, path: `spec.template.spec.volumes[${i}]` },
        remedy: {
          says:
            replicas > 1
              ? 'Use a StatefulSet with volumeClaimTemplates (a claim for each pod), or storage that can be shared (ReadWriteMany).'
              : 'Set strategy: {type: Recreate}.',
          commands: ['kubectl explain statefulset.spec.volumeClaimTemplates'],
        },
      };
    }
  }
}

const manifests = (replicas: number, strategy: string): string => `
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  strategy: {type: ${strategy}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {volumes: [{name: data, persistentVolumeClaim: {claimName: data}}], containers: [{name: app, image: nginx:1.27, volumeMounts: [{name: data, mountPath: /data}]}]}
`;

export const replicasShareOneClaim: Rule = {
  id: 'replicas-share-one-claim',
  title: 'Several pods are to share a volume that one node may use',
  phase: 'storage',
  codes: ['STO-23', 'CTL-04'],
  symptoms: ['Multi-Attach error', 'ContainerCreating'],
  severity: 'warning',
  lint: 'set',
  rank: 60,
  meaning:
    'All pods of a Deployment use the same claim. With ReadWriteOnce they work only as long as they all happen to be on one node; a rolling update meets itself.',
  tell: '`replicas` above 1, or RollingUpdate, with a claim that is only ReadWriteOnce.',
  fix: 'A StatefulSet, ReadWriteMany storage, or `strategy: Recreate` with one replica.',
  sick: [
    {
      when: 'three replicas share it',
      stage: 'manifests',
      yaml: manifests(3, 'Recreate'),
      says: '3 pods on one claim',
    },
  ],
  healthy: [{ when: 'one replica is recreated', stage: 'manifests', yaml: manifests(1, 'Recreate') }],
  check,
};
