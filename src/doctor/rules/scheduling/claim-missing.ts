import { persistentvolumeclaims } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec, listed, namesIn } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { claimExample, claimsOf, mounting } from './claims.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingPods } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  const waiting =
    snapshot.stage === 'live'
      ? pendingPods(snapshot)
      : snapshot.pods.map((pod) => ({ pod, message: '', clauses: [], evidence: [] }));
  for (const it of waiting)
    for (const use of claimsOf(snapshot, it.pod)) {
      if (use.ephemeral || !snapshot.lacks(persistentvolumeclaims, use.name, it.pod.namespace)) continue;
      const names = namesIn(snapshot, persistentvolumeclaims, it.pod.namespace);
      const near = nearestOne(use.name, names);
      const elsewhere = snapshot.all(persistentvolumeclaims).find((c) => c.metadata?.name === use.name)
        ?.metadata?.namespace;
      const change = near ? editPodSpec(snapshot, it.pod, [{ path: use.path, value: near, was: use.name }]) : undefined;
      yield pendingClaim(it, {
        says: `The pod mounts the claim ${use.name}, which is not in namespace ${it.pod.namespace}${near ? ` (did you mean ${near}?)` : elsewhere ? `; one of that name is in ${elsewhere}, but claims never cross namespaces` : ''}.`,
        evidence: [
          fromSpec(it.pod.ref, `claimName: ${use.name}`, `spec.${use.path.join('.')}`),
          fromAbsence(use.ref, listed(names)),
        ],
        field: fieldOf(it.pod, use.path.join('.')),
        cause: `${it.pod.namespace}/${use.name}`,
        remedy: {
          says: near ? `Write ${near}.` : 'Create the claim, or correct its name.',
          commands: [`kubectl get pvc -n ${it.pod.namespace}`],
          ...(change && { actions: [change] }),
        },
      });
    }
}

const message = noneOf(1, 'persistentvolumeclaim "data" not found');

export const claimMissing: Rule = {
  id: 'claim-missing',
  title: 'The volume claim does not exist',
  phase: 'scheduling',
  codes: ['SCH-21'],
  symptoms: ['FailedScheduling', 'persistentvolumeclaim "…" not found'],
  severity: 'error',
  lint: 'set',
  rank: 94,
  meaning:
    'A volume of the pod names a PersistentVolumeClaim that is not in its namespace. The scheduler waits until it is.',
  tell: '`persistentvolumeclaim "NAME" not found`. A claim that is there but unbound gives another text.',
  fix: 'Create the claim or correct `claimName`.',
  sick: [
    {
      when: 'the claim is not there',
      yaml: nodeExample('n1') + pendingExample(message, { spec: mounting('data') }),
      says: 'the claim data',
    },
    {
      when: 'one of nearly that name is there',
      yaml:
        nodeExample('n1') +
        claimExample('date', { status: 'phase: Bound', spec: ', volumeName: pv1' }) +
        pendingExample(message, { spec: mounting('data') }),
      says: 'did you mean date',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]'),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
