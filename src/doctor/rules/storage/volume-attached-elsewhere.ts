import { computed } from '../../evidence.ts';
import { creatingExample } from '../create/example.ts';
import { creatingRule } from '../create/simple.ts';
import { claimsOf } from '../scheduling/claims.ts';

export const volumeAttachedElsewhere = {
  ...creatingRule(
    {
      id: 'volume-attached-elsewhere',
      title: 'The volume is still attached to another node',
      codes: ['STO-09', 'CTL-04'],
      symptoms: ['FailedAttachVolume', 'Multi-Attach error'],
      lint: 'never',
      rank: 92,
      meaning:
        'A disk that one node at a time may use (ReadWriteOnce) is still attached where the old pod ran, or runs.',
      tell: '`Multi-Attach error for volume …`. The old pod runs on another node (a rolling update), or its node is gone and nobody detached the disk.',
      fix: '`strategy: Recreate` for a Deployment with such a volume; for a dead node, delete its pod by force or taint it `node.kubernetes.io/out-of-service`.',
      sick: [
        {
          when: 'the old pod still has it',
          yaml: `${creatingExample('FailedAttachVolume', 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-old', '  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]')}---\nkind: Pod\nmetadata: {name: web-old}\nspec: {nodeName: n2, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}], containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: app, image: nginx:1.27, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:00Z"}}}]}\n---\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], volumeName: pvc-1, resources: {requests: {storage: 1Gi}}}\nstatus: {phase: Bound}\n---\nkind: PersistentVolume\nmetadata: {name: pvc-1}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], claimRef: {namespace: default, name: data}}\nstatus: {phase: Bound}\n`,
          says: 'web-old on n2',
        },
      ],
      healthy: [],
    },
    ['FailedAttachVolume'],
    /Multi-Attach error for volume "([^"]+)"/,
    ({ snapshot, pod, match }) => {
      const names = new Set(claimsOf(snapshot, pod).map((it) => it.name));
      const holder = snapshot
        .podsIn(pod.namespace)
        .find(
          (other) =>
            other !== pod &&
            other.spec.nodeName &&
            other.spec.nodeName !== pod.spec.nodeName &&
            claimsOf(snapshot, other).some((it) => names.has(it.name)),
        );
      const sibling = holder && holder.workload.kind === 'Deployment' && holder.workload.name === pod.workload.name;
      return {
        says: `The volume ${match[1]} is still attached elsewhere${holder ? `: ${holder.ref.name} on ${holder.spec.nodeName} has it` : ''}, and only one node may have it.`,
        evidence: holder
          ? [
              computed(
                holder.ref,
                `${holder.ref.name} (${holder.pod.status?.phase}) mounts the same claim on ${holder.spec.nodeName}`,
              ),
            ]
          : [],
        cause: `attached/${match[1]}`,
        because: holder ? [{ kind: 'Node', name: holder.spec.nodeName ?? '' }] : [],
        remedy: {
          says: sibling
            ? 'Let the old pod go first: strategy Recreate.'
            : 'End the other pod, or wait until the disk is detached (six minutes for a dead node).',
          commands: sibling
            ? [
                `kubectl patch deployment ${pod.workload.name} -n ${pod.namespace} -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'`,
              ]
            : [
                'kubectl get volumeattachments',
                ...(holder ? [`kubectl get pod ${holder.ref.name} -n ${pod.namespace} -o wide`] : []),
              ],
        },
      };
    },
  ),
  phase: 'storage' as const,
};
