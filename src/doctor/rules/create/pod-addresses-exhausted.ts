import { computed } from '../../evidence.ts';
import { creatingExample } from './example.ts';
import { creatingRule } from './simple.ts';

export const podAddressesExhausted = creatingRule(
  {
    id: 'pod-addresses-exhausted',
    title: 'The node has no address left for the pod',
    codes: ['CRT-21'],
    symptoms: [
      'FailedCreatePodSandBox',
      'no IP addresses available in range set',
      'failed to assign an IP address to container',
    ],
    lint: 'never',
    rank: 92,
    meaning:
      "Every address of the node's pod range (or of the subnet) is taken, by pods or by leases that were never given back.",
    tell: '`no IP addresses available in range set: …` or `failed to assign an IP address to container`.',
    fix: "Fewer pods on the node, a larger range, or (where leases were lost) clean the address manager's files on the node.",
    sick: [
      {
        when: 'the range is used up',
        yaml: creatingExample(
          'FailedCreatePodSandBox',
          'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1": plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.254',
        ),
        says: 'no address left',
      },
    ],
    healthy: [],
  },
  ['FailedCreatePodSandBox'],
  /no IP addresses available in range set: ?(\S*)|failed to assign an IP address to container/,
  ({ snapshot, pod, match }) => ({
    says: `Node ${pod.spec.nodeName} has no address left for another pod${match[1] ? ` (${match[1]})` : ''}.`,
    evidence: [
      computed(
        { kind: 'Node', name: pod.spec.nodeName ?? '' },
        `${snapshot.podsOn(pod.spec.nodeName ?? '').length} pods are on ${pod.spec.nodeName}`,
      ),
    ],
    cause: `addresses/${pod.spec.nodeName}`,
    remedy: {
      says: 'Spread the pods over more nodes, or give the nodes a larger range.',
      commands: [
        `kubectl get node ${pod.spec.nodeName} -o jsonpath='{.spec.podCIDR}'`,
        `ls /var/lib/cni/networks/*   # on node ${pod.spec.nodeName}: leases that no pod has`,
      ],
    },
  }),
);
