import { refusalRule, refusedExample } from './refused.ts';

export const podsRefused = refusalRule(
  {
    id: 'pods-refused',
    title: 'The pods of the workload are refused',
    codes: ['CTL-01', 'ADM-11', 'CTL-18'],
    symptoms: ['FailedCreate', 'ReplicaFailure'],
    rank: 40,
    meaning: 'The controller tries to create pods, and the API server refuses. So there are none to look at.',
    tell: 'Condition `ReplicaFailure` of the Deployment, or the event `FailedCreate`, with the reason.',
    fix: 'As the reason says.',
    sick: [
      {
        when: 'for a reason that no other rule knows',
        yaml: refusedExample('pods "web-1" is forbidden: something new'),
        says: 'something new',
      },
    ],
  },
  /([\s\S]+)/,
  ({ workload, namespace }, match) => ({
    says: `No pod of ${workload.kind} ${workload.name} can be created: ${match[1]?.trim().replace(/\.$/, '')}.`,
    remedy: {
      says: 'Do as the message says.',
      commands: [`kubectl describe ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`],
      verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
    },
  }),
);
