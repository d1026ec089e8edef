import { leases } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeClaim, nodeCondition, nodeExample, nodesOf } from './nodes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  const all = [...nodesOf(snapshot)];
  const silent = all.filter((it) => it.ready?.status === 'Unknown');
  for (const it of silent) {
    const lease = snapshot.get(leases, it.name, 'kube-node-lease');
    const many = silent.length >= 2;
    yield nodeClaim(snapshot, it, {
      says: `Node ${it.name} has fallen silent: its kubelet no longer reports${lease?.spec?.renewTime ? ` (last at ${lease.spec.renewTime})` : ''}, so nothing on it can be started, stopped or known.`,
      evidence: [
        ...(it.ready ? [nodeCondition(it.ref, it.ready)] : []),
        ...(lease?.spec?.renewTime
          ? [
              computed(
                { kind: 'Lease', namespace: 'kube-node-lease', name: it.name },
                `renewed at ${lease.spec.renewTime}`,
              ),
            ]
          : []),
      ],
      cause: many ? 'silent' : it.name,
      ...(many && {
        otherwise: ['several nodes at once: the network between them and the API server, or the API server itself'],
      }),
      remedy: {
        says: `See whether the machine is up and its kubelet runs; if it will not come back, delete the node so that its pods are made elsewhere.`,
        commands: [
          `kubectl describe node ${it.name}`,
          `systemctl status kubelet; journalctl -u kubelet -n 100   # on ${it.name}`,
          `kubectl delete node ${it.name}   # only when the machine is gone for good`,
        ],
      },
    });
  }
}

export const nodeSilent: Rule = {
  id: 'node-silent',
  title: 'The node has stopped reporting',
  phase: 'node',
  codes: ['NOD-01'],
  symptoms: ['NodeNotReady', 'NodeStatusUnknown', 'Kubelet stopped posting node status.', 'Unknown', 'Terminating'],
  severity: 'error',
  lint: 'never',
  rank: 97,
  meaning:
    'The kubelet has not renewed its lease for 40 seconds: the machine is off, its kubelet is dead, or it cannot reach the API server. After five minutes its pods are evicted; they stay Terminating until the node answers or is deleted.',
  tell: 'All conditions are `Unknown`, the taint `node.kubernetes.io/unreachable` is set, and the lease in `kube-node-lease` is old.',
  fix: 'Bring the machine back, or delete the node.',
  sick: [
    {
      when: 'the kubelet no longer posts',
      yaml: `${nodeExample('status: Unknown, reason: NodeStatusUnknown, message: "Kubelet stopped posting node status."', { spec: 'taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute}]' })}---\nkind: Pod\nmetadata: {name: web, deletionTimestamp: "2026-01-01T11:58:00Z"}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: app, image: nginx:1.27, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:00:00Z"}}}]}\n`,
      says: 'n1 has fallen silent',
    },
  ],
  healthy: [],
  check,
};
