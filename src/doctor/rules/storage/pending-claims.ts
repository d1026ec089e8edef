import { persistentvolumeclaims, storageclasses } from '../../../api/generated/resources.ts';
import type { CoreV1Event, V1PersistentVolumeClaim, V1StorageClass } from '../../../api/generated/types.ts';
import { fromEvent, fromStatus } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import type { Reference } from '../../reference.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** A claim that no volume has been bound to. */
export interface PendingClaim {
  readonly claim: V1PersistentVolumeClaim;
  readonly ref: Reference;
  /** Undefined: none named (`''` counts as none), or not there. */
  readonly className: string | undefined;
  readonly storageClass: V1StorageClass | undefined;
  /** Newest first. */
  readonly events: readonly CoreV1Event[];
  readonly evidence: readonly Evidence[];
}

const defaultAnnotation = 'storageclass.kubernetes.io/is-default-class';

export const defaultClass = (snapshot: Snapshot): V1StorageClass | undefined =>
  snapshot.all(storageclasses).find((it) => it.metadata?.annotations?.[defaultAnnotation] === 'true');

export const classNames = (snapshot: Snapshot): readonly string[] =>
  snapshot
    .all(storageclasses)
    .map((it) => it.metadata?.name ?? '')
    .sort();

export const refOfClaim = (claim: V1PersistentVolumeClaim): Reference => ({
  kind: 'PersistentVolumeClaim',
  namespace: claim.metadata?.namespace ?? 'default',
  name: claim.metadata?.name ?? '',
});

/** All claims that wait for a volume and are not being deleted; of manifests, all that name none. */
export function* pendingClaims(snapshot: Snapshot): Iterable<PendingClaim> {
  for (const claim of snapshot.all(persistentvolumeclaims)) {
    if (claim.spec?.volumeName && snapshot.stage === 'live' && claim.status?.phase === 'Bound') continue;
    if (claim.metadata?.deletionTimestamp) continue;
    if (snapshot.stage === 'live' && (claim.status?.phase ?? 'Pending') !== 'Pending') continue;
    const ref = refOfClaim(claim);
    const className = claim.spec?.storageClassName || undefined;
    const events = snapshot.events(ref, claim.metadata?.uid);
    yield {
      claim,
      ref,
      className,
      storageClass: className ? snapshot.get(storageclasses, className) : undefined,
      events,
      evidence:
        snapshot.stage === 'live' ? [fromStatus(ref, `phase ${claim.status?.phase ?? 'Pending'}`, 'phase')] : [],
    };
  }
}

/** The newest event of a claim with one of these reasons whose text matches, as evidence. */
export function told(
  it: PendingClaim,
  reasons: readonly string[],
  pattern: RegExp,
): { readonly match: RegExpExecArray; readonly evidence: Evidence } | undefined {
  for (const event of it.events) {
    const match = reasons.includes(event.reason ?? '') ? pattern.exec(event.message ?? '') : null;
    if (match) return { match, evidence: fromEvent(event) };
  }
  return undefined;
}

/** What claims about a volume claim have in common. */
export const claimClaim = (it: PendingClaim, rest: Pick<Claim, 'says' | 'remedy'> & Partial<Claim>): Claim => ({
  subject: it.ref,
  ...rest,
  remedy: { verify: `kubectl get pvc ${it.ref.name} -n ${it.ref.namespace}`, ...rest.remedy },
  evidence: [...(rest.evidence ?? []), ...it.evidence],
});

/** The YAML of a claim that waits. */
export const pendingClaimExample = (
  spec = '',
  event?: { readonly reason: string; readonly message: string },
): string => `
---
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}${spec && `, ${spec}`}}
status: {phase: Pending}
${event ? `---\nkind: Event\non: PersistentVolumeClaim/data\nreason: ${event.reason}\nmessage: ${JSON.stringify(event.message)}\n` : ''}`;

export const classExample = (name: string, more = ''): string =>
  `---\nkind: StorageClass\nmetadata: {name: ${name}${more.includes('default') ? `, annotations: {${defaultAnnotation}: "true"}` : ''}}\nprovisioner: example.com/disk\nvolumeBindingMode: Immediate\n`;

/** A claim and a pod that mounts it, for faults. */
export const claimFault = (spec: string): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, ${spec}}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
  containers: [{name: app, image: "nginx:1.27", volumeMounts: [{name: data, mountPath: /data}]}]
`;
