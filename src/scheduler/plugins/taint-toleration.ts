import type { V1Toleration } from '../../api/generated/types.ts';
import { hardEffects, showTaint, tolerates, untolerated } from '../../kinds/core/node-match.ts';
import { nodeOf, type Plugin, type StateKey, unresolvable } from '../framework.ts';
import { normalizeDefault } from './normalize.ts';

const soft: StateKey<readonly V1Toleration[]> = { name: 'TaintToleration' };

/** Keeps pods off nodes whose NoSchedule and NoExecute taints they do not tolerate; counts PreferNoSchedule ones. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  interests: [
    {
      on: ['Node/Add', 'Node/UpdateTaint'],
      hint(pod, { old, next }) {
        const stops = (node: ReturnType<typeof nodeOf>): boolean =>
          untolerated(node?.spec?.taints, pod.spec?.tolerations, hardEffects) !== undefined;
        return !stops(nodeOf(next)) && (!old || stops(nodeOf(old)));
      },
    },
    { on: ['Pod/Update'] },
  ],
  filter: ({ pod }, { node }) =>
    untolerated(node?.spec?.taints, pod.pod.spec?.tolerations, hardEffects)
      ? unresolvable('node(s) had untolerated taint(s)')
      : undefined,
  explain({ pod }, { node, name }) {
    const taint = untolerated(node?.spec?.taints, pod.pod.spec?.tolerations, hardEffects);
    return (
      taint &&
      `taint ${showTaint(taint)} is not tolerated: add a toleration, or kubectl taint node ${name} ${showTaint(taint)}-`
    );
  },
  preScore({ pod, state }) {
    state.write(
      soft,
      (pod.pod.spec?.tolerations ?? []).filter((it) => !it.effect || it.effect === 'PreferNoSchedule'),
    );
    return true;
  },
  score({ state }, { node }) {
    const tolerations = state.read(soft) ?? [];
    let count = 0;
    for (const taint of node?.spec?.taints ?? []) {
      if (taint.effect === 'PreferNoSchedule' && !tolerations.some((it) => tolerates(it, taint))) count++;
    }
    return count;
  },
  normalize: (_cycle, scores) => normalizeDefault(scores, true),
};
