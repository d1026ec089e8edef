import { refusedExample } from './example.ts';
import { refusedRule } from './simple.ts';

export const deviceAllocationFailed = refusedRule(
  {
    id: 'device-allocation-failed',
    title: 'The node could not give the pod its device',
    codes: ['CRT-25', 'CRT-26'],
    symptoms: ['UnexpectedAdmissionError', 'TopologyAffinityError', 'SMTAlignmentError'],
    lint: 'never',
    meaning:
      'The scheduler counted a device (or whole CPUs) as free, and the kubelet could not hand it out: the device plugin was restarting, the device is ill, or the alignment that the kubelet insists on is impossible.',
    tell: 'Phase Failed, reason `UnexpectedAdmissionError`, `TopologyAffinityError` or `SMTAlignmentError`.',
    fix: "Delete the pod (its controller makes another). If it recurs: repair the device plugin, or relax the kubelet's policy.",
    sick: [
      {
        when: 'the device plugin was not there',
        yaml: refusedExample(
          'UnexpectedAdmissionError',
          'Pod was rejected: Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected',
        ),
        says: 'nvidia.com/gpu',
      },
    ],
    healthy: [],
  },
  ['UnexpectedAdmissionError', 'TopologyAffinityError', 'SMTAlignmentError'],
  ({ pod, message }) => ({
    says: `Node ${pod.spec.nodeName} could not give the pod what it was promised: ${message.replace(/^Pod was rejected: /, '').replace(/\.$/, '')}.`,
    cause: `devices/${pod.spec.nodeName}`,
    remedy: {
      says: "Delete the pod so that a new one is made; see the device plugin's pod on that node.",
      commands: [
        `kubectl delete pod ${pod.ref.name} -n ${pod.namespace}`,
        `kubectl get pods -A -o wide --field-selector spec.nodeName=${pod.spec.nodeName}`,
      ],
    },
  }),
);
