import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeClaim, nodeCondition, nodeExample, nodesOf } from './nodes.ts';

const others =
  /cni plugin not initialized|NetworkPluginNotReady|container runtime is down|PLEG is not healthy|container runtime status check/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of nodesOf(snapshot)) {
    if (it.ready?.status !== 'False' || others.test(it.ready.message ?? '')) continue;
    yield nodeClaim(snapshot, it, {
      says: `Node ${it.name} is not ready: ${(it.ready.message ?? it.ready.reason ?? 'its kubelet says so').replace(/\.$/, '')}.`,
      evidence: [nodeCondition(it.ref, it.ready)],
      remedy: {
        says: 'Do as the message says; the log of the kubelet tells more.',
        commands: [`kubectl describe node ${it.name}`, `journalctl -u kubelet -n 100   # on ${it.name}`],
      },
    });
  }
}

export const nodeNotReady: Rule = {
  id: 'node-not-ready',
  title: 'The node says that it is not ready',
  phase: 'node',
  codes: ['NOD-02'],
  symptoms: ['NodeNotReady', 'KubeletNotReady'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning: 'The kubelet reports, and says itself that it cannot run pods.',
  tell: 'Condition `Ready` is False (not Unknown), with reason `KubeletNotReady` and a message.',
  fix: 'As the message says.',
  sick: [
    {
      when: 'the kubelet is shutting down',
      yaml: nodeExample('status: "False", reason: KubeletNotReady, message: "node is shutting down"'),
      says: 'node is shutting down',
    },
  ],
  healthy: [],
  check,
};
