import { matchesRequiredNodeAffinity, matchesTerm } from '../../kinds/core/node-match.ts';
import { nodeOf, type Plugin, unresolvable } from '../framework.ts';
import { normalizeDefault } from './normalize.ts';

/** spec.nodeSelector and spec.affinity.nodeAffinity. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  interests: [
    {
      on: ['Node/Add', 'Node/UpdateLabel'],
      hint(pod, { old, next }) {
        const [before, after] = [nodeOf(old), nodeOf(next)];
        return (
          !!after && matchesRequiredNodeAffinity(pod, after) && !(before && matchesRequiredNodeAffinity(pod, before))
        );
      },
    },
  ],
  preFilter({ pod }) {
    const required = pod.pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (!required && !pod.pod.spec?.nodeSelector) return 'skip';
    // Terms that all name their nodes (as daemon pods' do) leave only those nodes to look at.
    let names: Set<string> | undefined;
    for (const term of required?.nodeSelectorTerms ?? []) {
      let own: Set<string> | undefined;
      for (const field of term.matchFields ?? []) {
        if (field.key !== 'metadata.name' || field.operator !== 'In') continue;
        const values = new Set(field.values ?? []);
        own = own ? new Set([...own].filter((it) => values.has(it))) : values;
      }
      if (!own) return undefined;
      names ??= new Set();
      for (const name of own) names.add(name);
    }
    if (!names) return undefined;
    return names.size === 0 ? { rejection: unresolvable('pod affinity terms conflict') } : { nodeNames: names };
  },
  filter: ({ pod }, { node }) =>
    node && matchesRequiredNodeAffinity(pod.pod, node)
      ? undefined
      : unresolvable("node(s) didn't match Pod's node affinity/selector"),
  explain({ pod }, { labels }) {
    for (const [key, value] of Object.entries(pod.pod.spec?.nodeSelector ?? {})) {
      if (labels[key] !== value) {
        const has = labels[key] === undefined ? 'has no such label' : `has ${key}=${labels[key]}`;
        return `nodeSelector wants ${key}=${value}, the node ${has}`;
      }
    }
    return 'no term of the required node affinity matches the node';
  },
  preScore: ({ pod }) =>
    (pod.pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length > 0,
  score({ pod }, { node }) {
    let sum = 0;
    for (const it of pod.pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (it.weight !== 0 && node && matchesTerm(it.preference, node)) sum += it.weight;
    }
    return sum;
  },
  normalize: (_cycle, scores) => normalizeDefault(scores, false),
};
