import { type Plugin, podOf, unschedulable } from '../framework.ts';
import { podInfoOf, portsConflict } from '../pod-info.ts';

/** Host ports are had once a node. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  interests: [
    {
      on: ['AssignedPod/Delete'],
      hint(pod, { old }) {
        const gone = podOf(old);
        if (!gone) return true;
        const ports = podInfoOf(gone).hostPorts;
        return podInfoOf(pod).hostPorts.some((port) => ports.some((it) => portsConflict(port, it)));
      },
    },
    { on: ['Node/Add'] },
  ],
  preFilter: ({ pod }) => (pod.hostPorts.length === 0 ? 'skip' : undefined),
  filter({ pod }, node) {
    for (const other of node.pods) {
      for (const taken of other.hostPorts) {
        if (pod.hostPorts.some((it) => portsConflict(it, taken))) {
          return unschedulable("node(s) didn't have free ports for the requested pod ports");
        }
      }
    }
    return undefined;
  },
  explain({ pod }, node) {
    for (const other of node.pods) {
      const taken = other.hostPorts.find((it) => pod.hostPorts.some((port) => portsConflict(port, it)));
      if (taken) return `host port ${taken.port}/${taken.protocol} is taken by pod ${other.key}`;
    }
    return undefined;
  },
};
