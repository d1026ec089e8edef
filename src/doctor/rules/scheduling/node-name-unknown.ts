import { nodes } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { nodeExample } from './example.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const name = pod.spec.nodeName;
    if (!name || pod.containers.some((it) => it.status) || !snapshot.lacks(nodes, name)) continue;
    // A pod that the scheduler placed names a node that was there: then the node is gone, which is another matter.
    if (
      pod.pod.status?.conditions?.some(
        (it) => it.type === 'PodScheduled' && it.status === 'True' && it.lastTransitionTime,
      )
    )
      continue;
    const names = snapshot.all(nodes).map((it) => it.metadata?.name ?? '');
    if (pod.planned && names.length === 0) continue;
    const near = nearestOne(name, names);
    const change = editPodSpec(snapshot, pod, [{ path: ['nodeName'] }]);
    yield {
      subject: pod.ref,
      says: `The pod is written for the node ${name}, which does not exist${near ? ` (did you mean ${near}?)` : ''}; the scheduler is passed over.`,
      evidence: [
        fromSpec(pod.ref, `nodeName: ${name}`, 'spec.nodeName'),
        fromAbsence({ kind: 'Node', name }, listed(names)),
      ],
      cause: `node/${name}`,
      field: fieldOf(pod, 'nodeName'),
      remedy: {
        says: 'Remove nodeName and let the scheduler choose; use nodeSelector to wish for a node.',
        commands: ['kubectl get nodes'],
        ...(change && { actions: [change] }),
        verify: watchCommand(pod),
      },
    };
  }
}

export const nodeNameUnknown: Rule = {
  id: 'node-name-unknown',
  title: 'The pod names a node that does not exist',
  phase: 'scheduling',
  codes: ['SCH-35'],
  symptoms: ['Pending', 'no events'],
  severity: 'error',
  lint: 'cluster',
  rank: 92,
  meaning:
    '`spec.nodeName` set by hand passes the scheduler over. No kubelet of that name takes the pod; after a while it is garbage-collected.',
  tell: 'Pending with a `nodeName` that `kubectl get nodes` does not list, and no container status.',
  fix: 'Remove `nodeName`.',
  sick: [
    {
      when: 'no such node is there',
      yaml: `${nodeExample('n1')}---\nkind: Pod\nmetadata: {name: web}\nspec: {nodeName: n11, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Pending}\n`,
      says: 'did you mean n1',
    },
  ],
  healthy: [],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {nodeName: no-such-node, containers: [{name: app, image: nginx:1.27}]}\n',
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
