import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeClaim, nodeExample, nodesOf } from './nodes.ts';

const key = 'node.cloudprovider.kubernetes.io/uninitialized';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of nodesOf(snapshot)) {
    if (!it.node.spec?.taints?.some((taint) => taint.key === key)) continue;
    yield nodeClaim(snapshot, it, {
      says: `Node ${it.name} waits for its cloud: nobody has initialised it, so it takes no pods.`,
      evidence: [fromSpec(it.ref, `taint ${key}`, 'spec.taints')],
      cause: 'uninitialized',
      remedy: {
        says: 'Install or repair the cloud-controller-manager (it takes the taint off), or start the kubelet without --cloud-provider=external.',
        commands: ['kubectl get pods -A | grep -i cloud-controller', `kubectl describe node ${it.name}`],
      },
    });
  }
}

export const nodeUninitialized: Rule = {
  id: 'node-uninitialized',
  title: 'The node waits for its cloud controller',
  phase: 'node',
  codes: ['NOD-18'],
  symptoms: [key],
  severity: 'error',
  lint: 'never',
  rank: 96,
  meaning:
    'A kubelet with an external cloud provider registers with a taint that only the cloud-controller-manager removes. It does not run, or cannot find the machine.',
  tell: `The taint \`${key}\`.`,
  fix: 'Repair the cloud-controller-manager.',
  sick: [
    {
      when: 'the taint stays',
      yaml: nodeExample('status: "True", reason: KubeletReady', {
        spec: `taints: [{key: ${key}, value: "true", effect: NoSchedule}]`,
      }),
      says: 'waits for its cloud',
    },
  ],
  healthy: [],
  check,
};
