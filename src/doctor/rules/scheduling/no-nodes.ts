import { nodes } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { pendingExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^no nodes available to schedule pods$/)) {
    // The message outlives the moment it was true in.
    if (snapshot.sees(nodes) && snapshot.all(nodes).length > 0) continue;
    yield pendingClaim(it, {
      says: 'The cluster has no node at all.',
      evidence: [computed(it.pod.ref, 'the list of nodes is empty')],
      cause: 'no-nodes',
      remedy: {
        says: 'Add a node, or look why the nodes do not join (their kubelet and its bootstrap credentials).',
        commands: ['kubectl get nodes', 'kubectl get csr', 'journalctl -u kubelet -n 50   # on the machine'],
        verify: 'kubectl get nodes',
      },
    });
  }
}

export const noNodes: Rule = {
  id: 'no-nodes',
  title: 'There are no nodes',
  phase: 'scheduling',
  codes: ['SCH-31'],
  symptoms: ['FailedScheduling', 'no nodes available to schedule pods'],
  severity: 'error',
  lint: 'never',
  rank: 95,
  meaning:
    'No kubelet has registered a node: the machines are off, the node group is scaled to zero, or their kubelets cannot join.',
  tell: '`kubectl get nodes` lists nothing.',
  fix: 'Start or add a node; approve waiting certificate requests.',
  sick: [
    {
      when: 'nodes cannot be listed and the scheduler says there are none',
      yaml: `${pendingExample('no nodes available to schedule pods')}---\nkind: Unseen\nresource: nodes\n`,
      says: 'no node at all',
    },
  ],
  healthy: [],
  check,
};
