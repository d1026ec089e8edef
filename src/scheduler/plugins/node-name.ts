import { type Plugin, unresolvable } from '../framework.ts';

/** A pod that names its node goes there or nowhere. */
export const nodeName: Plugin = {
  name: 'NodeName',
  interests: [{ on: ['Node/Add'], hint: (pod, { next }) => pod.spec?.nodeName === next?.metadata?.name }],
  filter({ pod }, { name }) {
    const wanted = pod.pod.spec?.nodeName;
    return !wanted || wanted === name ? undefined : unresolvable("node(s) didn't match the requested node name");
  },
};
