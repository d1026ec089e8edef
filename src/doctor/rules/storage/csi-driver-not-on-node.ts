import { csinodes } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import { creatingExample } from '../create/example.ts';
import { creatingRule } from '../create/simple.ts';

export const csiDriverNotOnNode = {
  ...creatingRule(
    {
      id: 'csi-driver-not-on-node',
      title: 'The storage driver does not run on that node',
      codes: ['STO-12'],
      symptoms: ['FailedMount', 'not found in the list of registered CSI drivers'],
      lint: 'never',
      rank: 92,
      meaning:
        "The node part of the CSI driver (a DaemonSet) has not registered with this node's kubelet: it does not run there, often because it does not tolerate the node's taints.",
      tell: '`driver name NAME not found in the list of registered CSI drivers`.',
      fix: "Let the driver's DaemonSet run on the node (tolerations, node selector), and see its log.",
      sick: [
        {
          when: 'the driver is not registered',
          yaml: creatingExample(
            'FailedMount',
            'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers',
          ),
          says: 'ebs.csi.aws.com',
        },
      ],
      healthy: [],
    },
    ['FailedMount', 'FailedAttachVolume'],
    /driver name (\S+) not found in the list of registered CSI drivers/,
    ({ snapshot, pod, match }) => {
      const drivers = snapshot.get(csinodes, pod.spec.nodeName ?? '')?.spec?.drivers.map((it) => it.name) ?? [];
      return {
        says: `The storage driver ${match[1]} does not run on node ${pod.spec.nodeName}, so its volumes cannot be mounted there.`,
        evidence: [
          computed(
            { kind: 'CSINode', name: pod.spec.nodeName ?? '' },
            `drivers on ${pod.spec.nodeName}: ${drivers.join(', ') || 'none'}`,
          ),
        ],
        cause: `driver/${match[1]}/${pod.spec.nodeName}`,
        remedy: {
          says: "Bring the driver's node plugin to that node.",
          commands: ['kubectl get daemonsets -A | grep -i csi', `kubectl get csinode ${pod.spec.nodeName} -o yaml`],
        },
      };
    },
  ),
  phase: 'storage' as const,
};
