import { fromSpec } from '../../evidence.ts';
import { refusedExample } from './example.ts';
import { refusedRule } from './simple.ts';

export const nodeRefusedForLabels = refusedRule(
  {
    id: 'node-refused-for-labels',
    title: 'The kubelet refuses the pod: the node does not fit',
    codes: ['CRT-28'],
    symptoms: ['NodeAffinity', 'PodOSNotSupported', 'PodOSSelectorNodeLabelDoesNotMatch', 'TaintToleration'],
    lint: 'never',
    meaning:
      'When a kubelet starts (or gets a pod that was bound by hand) it checks the pod against its own labels. They changed since, or never fitted.',
    tell: "Phase Failed, reason `NodeAffinity` (or one of the operating system's).",
    fix: 'Restore the label, or delete the pod: its controller makes a new one elsewhere.',
    sick: [
      {
        when: "the node's label is gone",
        yaml: refusedExample(
          'NodeAffinity',
          "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
          '  nodeSelector: {disktype: ssd}',
        ),
        says: 'no longer fits',
      },
    ],
    healthy: [],
  },
  ['NodeAffinity', 'PodOSNotSupported', 'PodOSSelectorNodeLabelDoesNotMatch', 'TaintToleration'],
  ({ pod, message }) => ({
    says: `Node ${pod.spec.nodeName} no longer fits the pod's own rules, and its kubelet refused it: ${message.replace(/^Pod was rejected: /, '')}.`,
    evidence: [fromSpec(pod.ref, `nodeSelector: ${JSON.stringify(pod.spec.nodeSelector ?? {})}`, 'spec.nodeSelector')],
    remedy: {
      says: 'Delete the pod (a controller makes a new one), or give the node its label back.',
      commands: [
        `kubectl delete pod ${pod.ref.name} -n ${pod.namespace}`,
        `kubectl get node ${pod.spec.nodeName} --show-labels`,
      ],
    },
  }),
);
