import { type Plugin, unresolvable } from '../framework.ts';

/** Keeps a pod out of the queue while spec.schedulingGates names any gate. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  interests: [{ on: ['Pod/Update'], hint: (pod) => (pod.spec?.schedulingGates ?? []).length === 0 }],
  preEnqueue(pod) {
    const gates = (pod.spec?.schedulingGates ?? []).map((it) => it.name);
    return gates.length === 0 ? undefined : unresolvable(`waiting for scheduling gates: [${gates.join(' ')}]`);
  },
};
