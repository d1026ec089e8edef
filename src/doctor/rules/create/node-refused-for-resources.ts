import { fromSpec } from '../../evidence.ts';
import { fieldOf } from '../../remedy.ts';
import { refusedExample } from './example.ts';
import { refusedRule } from './simple.ts';

export const nodeRefusedForResources = refusedRule(
  {
    id: 'node-refused-for-resources',
    title: 'The kubelet refuses the pod: too little room',
    codes: ['CRT-27'],
    symptoms: ['OutOfcpu', 'OutOfmemory', 'OutOfpods', 'OutOfephemeral-storage'],
    lint: 'never',
    meaning:
      'The pod came to the node without the scheduler counting (a `nodeName` set by hand, a static pod, two schedulers), and there is no room. Such a pod is Failed for good.',
    tell: 'Phase Failed, reason `OutOf…`, with the amounts.',
    fix: 'Remove `nodeName` and let the scheduler choose. Failed pods stay as records until they are deleted.',
    sick: [
      {
        when: 'nodeName was set by hand',
        yaml: refusedExample(
          'OutOfcpu',
          "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 3900, capacity: 4000",
        ),
        says: 'too little cpu',
      },
    ],
    healthy: [],
  },
  ['OutOfcpu', 'OutOfmemory', 'OutOfpods', 'OutOfephemeral-storage'],
  ({ pod, reason, message }) => ({
    says: `The kubelet of node ${pod.spec.nodeName} refused the pod, since the node has too little ${reason.slice('OutOf'.length)}${/requested: \d+/.test(message) ? ` (${/requested: .*$/.exec(message)?.[0]})` : ''}.`,
    evidence: [fromSpec(pod.ref, `nodeName: ${pod.spec.nodeName}`, 'spec.nodeName')],
    field: fieldOf(pod, 'nodeName'),
    remedy: {
      says: 'Let the scheduler choose the node, or ask for less.',
      commands: [
        `kubectl delete pod ${pod.ref.name} -n ${pod.namespace}`,
        `kubectl describe node ${pod.spec.nodeName}`,
      ],
    },
  }),
);
