import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeClaim, nodeCondition, nodeExample, nodesOf } from './nodes.ts';

const kinds: Readonly<Record<string, { readonly what: string; readonly fix: string; readonly command: string }>> = {
  MemoryPressure: {
    what: 'memory',
    fix: 'Find what uses it; give pods memory requests that are true.',
    command: 'kubectl top pods -A --sort-by=memory',
  },
  DiskPressure: {
    what: 'disk space',
    fix: 'Free disk space: old images, logs, emptyDir volumes; or give the node a larger disk.',
    command: 'df -h; du -xh --max-depth=2 /var/lib | sort -h | tail',
  },
  PIDPressure: {
    what: 'process ids',
    fix: 'Find the pod that forks without end; set podPidsLimit.',
    command: 'ps -e | wc -l',
  },
};

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of nodesOf(snapshot))
    for (const condition of it.node.status?.conditions ?? []) {
      const kind = kinds[condition.type];
      if (!kind || condition.status !== 'True') continue;
      const failed = snapshot
        .events(it.ref)
        .find((event) =>
          ['ImageGCFailed', 'FreeDiskSpaceFailed', 'ContainerGCFailed', 'EvictionThresholdMet'].includes(
            event.reason ?? '',
          ),
        );
      yield nodeClaim(snapshot, it, {
        says: `Node ${it.name} is short of ${kind.what}: it takes no more pods and evicts some of those it has.`,
        evidence: [
          nodeCondition(it.ref, condition),
          ...(failed ? [computed(it.ref, `${failed.reason}: ${failed.message}`)] : []),
        ],
        cause: `${it.name}/${condition.type}`,
        // Pods that fail for reasons of their own on such a node are not explained by it.
        explains: snapshot
          .podsOn(it.name)
          .filter((pod) => pod.pod.status?.reason === 'Evicted')
          .map((pod) => pod.ref),
        remedy: {
          says: kind.fix,
          commands: [
            `kubectl describe node ${it.name}`,
            kind.command.startsWith('kubectl') ? kind.command : `${kind.command}   # on ${it.name}`,
          ],
        },
      });
    }
}

export const nodePressure: Rule = {
  id: 'node-pressure',
  title: 'The node is short of memory, disk or process ids',
  phase: 'node',
  codes: ['NOD-04', 'NOD-05', 'NOD-06', 'NOD-14'],
  symptoms: ['DiskPressure', 'MemoryPressure', 'PIDPressure', 'Evicted', 'EvictionThresholdMet', 'ImageGCFailed'],
  severity: 'error',
  lint: 'never',
  rank: 93,
  meaning:
    'The kubelet measures what the node has left. Below a threshold it sets a condition, a taint keeps new pods away, and pods are evicted, those first that use more than they requested.',
  tell: 'Condition `MemoryPressure`, `DiskPressure` or `PIDPressure` is True.',
  fix: 'Free what is short. The condition goes away some minutes after.',
  sick: [
    {
      when: 'the disk is nearly full',
      yaml: nodeExample('status: "True", reason: KubeletReady', {
        conditions:
          '  - {type: DiskPressure, status: "True", reason: KubeletHasDiskPressure, message: kubelet has disk pressure}',
      }),
      says: 'short of disk space',
    },
  ],
  healthy: [],
  check,
};
