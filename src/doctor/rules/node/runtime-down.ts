import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeClaim, nodeCondition, nodeExample, nodesOf } from './nodes.ts';

const text =
  /container runtime is down|PLEG is not healthy[^,\]]*|container runtime status check may not have completed yet/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of nodesOf(snapshot)) {
    const match = it.ready?.status === 'False' ? text.exec(it.ready.message ?? '') : null;
    if (!match || !it.ready) continue;
    const slow = match[0].startsWith('PLEG');
    yield nodeClaim(snapshot, it, {
      says: slow
        ? `The container runtime of node ${it.name} answers too slowly: the kubelet has lost track of its containers.`
        : `The container runtime of node ${it.name} is down: nothing can be started or stopped there, though what runs may go on.`,
      evidence: [nodeCondition(it.ref, it.ready)],
      remedy: {
        says: slow ? 'Look at the load and the disk of the node; restart the runtime.' : 'Start the runtime again.',
        commands: [
          `systemctl status containerd; systemctl restart containerd   # on ${it.name}`,
          `journalctl -u containerd -n 100   # on ${it.name}`,
        ],
      },
    });
  }
}

export const runtimeDown: Rule = {
  id: 'runtime-down',
  title: "The node's container runtime is down",
  phase: 'node',
  codes: ['NOD-02'],
  symptoms: ['NodeNotReady', 'container runtime is down', 'PLEG is not healthy'],
  severity: 'error',
  lint: 'never',
  rank: 96,
  meaning: 'The kubelet lives and cannot talk to containerd (or CRI-O), or takes minutes to list its containers.',
  tell: 'Condition `Ready` False, `KubeletNotReady`, with *container runtime is down* or *PLEG is not healthy*.',
  fix: 'Restart the runtime; look for a full or slow disk.',
  sick: [
    {
      when: 'the runtime does not answer',
      yaml: nodeExample('status: "False", reason: KubeletNotReady, message: "container runtime is down"'),
      says: 'runtime of node n1 is down',
    },
    {
      when: 'it is too slow',
      yaml: nodeExample(
        'status: "False", reason: KubeletNotReady, message: "PLEG is not healthy: pleg was last seen active 4m2s ago; threshold is 3m0s"',
      ),
      says: 'answers too slowly',
    },
  ],
  healthy: [],
  check,
};
