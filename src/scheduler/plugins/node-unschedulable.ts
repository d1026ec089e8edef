import type { V1Node, V1Pod } from '../../api/generated/types.ts';
import { tolerates } from '../../kinds/core/node-match.ts';
import { nodeOf, type Plugin, unresolvable } from '../framework.ts';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const tolerated = (pod: V1Pod): boolean => (pod.spec?.tolerations ?? []).some((it) => tolerates(it, taint));
const open = (pod: V1Pod, node: V1Node | undefined): boolean => !node?.spec?.unschedulable || tolerated(pod);

/** Refuses cordoned nodes (spec.unschedulable). */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  interests: [
    {
      on: ['Node/Add', 'Node/UpdateTaint'],
      hint: (pod, { old, next }) => open(pod, nodeOf(next)) && (!old || !open(pod, nodeOf(old))),
    },
    { on: ['Pod/Update'] },
  ],
  filter: ({ pod }, { node }) => (open(pod.pod, node) ? undefined : unresolvable('node(s) were unschedulable')),
  explain: (_cycle, { name }) => `the node is cordoned: kubectl uncordon ${name}`,
};
