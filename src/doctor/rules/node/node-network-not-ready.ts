import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeClaim, nodeCondition, nodeExample, nodesOf } from './nodes.ts';

const text = /cni plugin not initialized|NetworkPluginNotReady|network plugin is not ready/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  const blind = [...nodesOf(snapshot)].filter(
    (it) => it.ready?.status === 'False' && text.test(it.ready.message ?? ''),
  );
  for (const it of blind) {
    const agents = snapshot
      .podsOn(it.name)
      .filter(
        (pod) =>
          pod.workload.kind === 'DaemonSet' &&
          /calico|cilium|flannel|weave|kindnet|aws-node|antrea|canal|kube-router|azure-cns|ovn/.test(pod.workload.name),
      );
    yield nodeClaim(snapshot, it, {
      says: `Node ${it.name} has no pod network: ${agents.length > 0 ? `the network add-on there (${agents.map((pod) => pod.ref.name).join(', ')}) has not set it up` : 'no network add-on (CNI) runs on it'}.`,
      evidence: [
        ...(it.ready ? [nodeCondition(it.ref, it.ready)] : []),
        computed(
          it.ref,
          agents.length > 0
            ? `its agent: ${agents.map((pod) => `${pod.namespace}/${pod.ref.name} (${pod.pod.status?.phase})`).join(', ')}`
            : 'no pod of a known network add-on is on the node',
        ),
      ],
      because: agents.map((pod) => pod.ref),
      cause: 'node-network',
      remedy: {
        says: agents.length > 0 ? 'Repair the agent of the network add-on on that node.' : 'Install a network add-on.',
        commands: [
          'kubectl get daemonsets -A',
          ...(agents[0]
            ? [`kubectl logs ${agents[0].ref.name} -n ${agents[0].namespace} --all-containers --tail=50`]
            : []),
        ],
      },
    });
  }
}

export const nodeNetworkNotReady: Rule = {
  id: 'node-network-not-ready',
  title: 'The node has no pod network',
  phase: 'node',
  codes: ['NOD-03', 'CRT-19'],
  symptoms: ['NodeNotReady', 'NetworkPluginNotReady', 'cni plugin not initialized'],
  severity: 'error',
  lint: 'never',
  rank: 96,
  meaning:
    'A node becomes Ready only when a CNI configuration is in place. The add-on that brings it is not installed, or its agent on this node fails.',
  tell: '`container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady … cni plugin not initialized`.',
  fix: 'Install or repair the network add-on.',
  sick: [
    {
      when: 'no CNI is there',
      yaml: nodeExample(
        'status: "False", reason: KubeletNotReady, message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"',
      ),
      says: 'no pod network',
    },
  ],
  healthy: [],
  check,
};
