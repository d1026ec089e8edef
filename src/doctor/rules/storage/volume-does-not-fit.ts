import { persistentvolumes } from '../../../api/generated/resources.ts';
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../../../api/generated/types.ts';
import { compareQuantity, tryParseQuantity } from '../../../api/quantity.ts';
import { fromAbsence, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimClaim, claimFault, pendingClaimExample, pendingClaims } from './pending-claims.ts';

/** What keeps a volume from being bound to the claim that names it. */
function mismatch(
  volume: V1PersistentVolume,
  claim: V1PersistentVolumeClaim,
): { readonly says: string; readonly path: string } | undefined {
  const [has, wants] = [
    tryParseQuantity(volume.spec?.capacity?.['storage']),
    tryParseQuantity(claim.spec?.resources?.requests?.['storage']),
  ];
  if (has && wants && compareQuantity(has, wants) < 0)
    return { says: `it has ${has.text}, and ${wants.text} are asked for`, path: 'spec.resources.requests.storage' };
  const [theirs, ours] = [volume.spec?.storageClassName ?? '', claim.spec?.storageClassName ?? ''];
  if (theirs !== ours)
    return {
      says: `its class is ${theirs || '(none)'}, the claim's is ${ours || '(none)'}`,
      path: 'spec.storageClassName',
    };
  const lacking = (claim.spec?.accessModes ?? []).filter((mode) => !(volume.spec?.accessModes ?? []).includes(mode));
  if (lacking.length > 0) return { says: `it does not offer ${lacking.join(', ')}`, path: 'spec.accessModes' };
  if ((volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem'))
    return { says: `its mode is ${volume.spec?.volumeMode ?? 'Filesystem'}`, path: 'spec.volumeMode' };
  const holder = volume.spec?.claimRef;
  if (holder && (holder.namespace !== claim.metadata?.namespace || holder.name !== claim.metadata?.name))
    return { says: `it belongs to the claim ${holder.namespace}/${holder.name}`, path: 'spec.volumeName' };
  return undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingClaims(snapshot)) {
    const name = it.claim.spec?.volumeName;
    if (!name) continue;
    const volume = snapshot.get(persistentvolumes, name);
    if (!volume && !snapshot.lacks(persistentvolumes, name)) continue;
    if (!volume && snapshot.stage === 'manifests') continue;
    const wrong = volume ? mismatch(volume, it.claim) : { says: 'there is no such volume', path: 'spec.volumeName' };
    if (!wrong) continue;
    yield claimClaim(it, {
      says: `The claim ${it.ref.name} names the volume ${name}, which cannot be bound to it: ${wrong.says}.`,
      evidence: [
        fromSpec(it.ref, `volumeName: ${name}`, 'spec.volumeName'),
        ...(volume
          ? [
              fromSpec(
                { kind: 'PersistentVolume', name },
                `${volume.spec?.capacity?.['storage']}, ${(volume.spec?.accessModes ?? []).join(', ')}, class ${volume.spec?.storageClassName || '(none)'}`,
                'spec',
              ),
            ]
          : [
              fromAbsence(
                { kind: 'PersistentVolume', name },
                listed(snapshot.all(persistentvolumes).map((pv) => pv.metadata?.name ?? '')),
              ),
            ]),
      ],
      field: { object: it.ref, path: wrong.path },
      remedy: {
        says: 'Make both agree: size, class, access modes and volume mode.',
        commands: [`kubectl get pv ${name} -o yaml`, `kubectl get pvc ${it.ref.name} -n ${it.ref.namespace} -o yaml`],
      },
    });
  }
}

const volume =
  '---\nkind: PersistentVolume\nmetadata: {name: pv1}\nspec: {capacity: {storage: 500Mi}, accessModes: [ReadWriteOnce], storageClassName: manual, hostPath: {path: /data}}\nstatus: {phase: Available}\n';

export const volumeDoesNotFit: Rule = {
  id: 'volume-does-not-fit',
  title: 'The volume that the claim names does not fit it',
  phase: 'storage',
  codes: ['STO-06'],
  symptoms: ['Pending', 'VolumeMismatch', 'Cannot bind to requested volume'],
  severity: 'error',
  lint: 'set',
  rank: 93,
  meaning:
    'A claim with `volumeName` takes that volume or none, and both have to agree in size, class, access modes and mode.',
  tell: '`Cannot bind to requested volume "NAME": requested PV is too small` (or class, access mode, volume mode).',
  fix: 'Align the two; a class left out in the claim becomes the default class, which the volume often does not have.',
  sick: [
    {
      when: 'the volume is too small',
      yaml: pendingClaimExample('volumeName: pv1, storageClassName: manual') + volume,
      says: '500Mi',
    },
    {
      when: 'the classes differ in the manifests',
      stage: 'manifests',
      yaml: pendingClaimExample('volumeName: pv1, storageClassName: standard').replace('1Gi', '100Mi') + volume,
      says: "its class is manual, the claim's is standard",
    },
  ],
  healthy: [],
  fault: {
    manifest: `\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: small}\nspec: {capacity: {storage: 10Mi}, accessModes: [ReadWriteOnce], storageClassName: by-hand, hostPath: {path: /tmp}}\n---${claimFault('storageClassName: by-hand, volumeName: small')}`,
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
