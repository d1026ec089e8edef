import { persistentvolumeclaims } from '../../../api/generated/resources.ts';
import { compareQuantity, tryParseQuantity } from '../../../api/quantity.ts';
import { fromCondition, fromEvent, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { refOfClaim } from './pending-claims.ts';

const failures = ['VolumeResizeFailed', 'FileSystemResizeFailed', 'ExternalExpanding'];

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const claim of snapshot.all(persistentvolumeclaims)) {
    const [wants, has] = [
      tryParseQuantity(claim.spec?.resources?.requests?.['storage']),
      tryParseQuantity(claim.status?.capacity?.['storage']),
    ];
    if (claim.status?.phase !== 'Bound' || !wants || !has || compareQuantity(wants, has) <= 0) continue;
    const ref = refOfClaim(claim);
    const pending = claim.status.conditions?.find(
      (it) => it.type === 'FileSystemResizePending' && it.status === 'True',
    );
    const event = snapshot.events(ref, claim.metadata?.uid).find((it) => failures.includes(it.reason ?? ''));
    if (!pending && !event) continue;
    yield {
      subject: ref,
      says: pending
        ? `The claim ${ref.name} has grown to ${wants.text} on its storage, but its file system (${has.text}) grows only when a pod mounts it anew.`
        : `The claim ${ref.name} is to grow from ${has.text} to ${wants.text}, and its storage does not do it: ${event?.message}.`,
      evidence: [
        ...(pending ? [fromCondition(ref, 'FileSystemResizePending', pending.message ?? 'waiting')] : []),
        ...(event ? [fromEvent(event)] : []),
        fromSpec(ref, `requests ${wants.text}, has ${has.text}`, 'spec.resources.requests.storage'),
      ],
      severity: 'warning',
      remedy: {
        says: pending
          ? 'Restart the pod that uses it.'
          : 'See whether the class allows expansion and its driver can do it.',
        commands: [`kubectl describe pvc ${ref.name} -n ${ref.namespace}`],
        verify: `kubectl get pvc ${ref.name} -n ${ref.namespace}`,
      },
    };
  }
}

export const claimCannotGrow: Rule = {
  id: 'claim-cannot-grow',
  title: 'The claim does not grow as asked',
  phase: 'storage',
  codes: ['STO-16'],
  symptoms: ['FileSystemResizePending', 'VolumeResizeFailed', 'FileSystemResizeFailed'],
  severity: 'warning',
  lint: 'never',
  rank: 85,
  meaning: 'A larger request was accepted; the disk, or the file system on it, has not followed.',
  tell: '`status.capacity` is below the request; a condition or an event says at which step.',
  fix: 'Restart the pod (file system), or repair the driver (disk).',
  sick: [
    {
      when: 'the file system waits for a pod',
      yaml: '\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], volumeName: pv1, resources: {requests: {storage: 2Gi}}}\nstatus: {phase: Bound, capacity: {storage: 1Gi}, conditions: [{type: FileSystemResizePending, status: "True", message: "Waiting for user to (re-)start a pod to finish file system resize of volume on node."}]}\n',
      says: '2Gi',
    },
  ],
  healthy: [],
  check,
};
