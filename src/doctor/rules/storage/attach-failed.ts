import { creatingExample } from '../create/example.ts';
import { creatingRule } from '../create/simple.ts';

export const attachFailed = {
  ...creatingRule(
    {
      id: 'attach-failed',
      title: 'The volume cannot be attached',
      codes: ['STO-10', 'STO-11'],
      symptoms: ['FailedAttachVolume', 'AttachVolume.Attach failed', 'timed out waiting for external-attacher'],
      lint: 'never',
      rank: 85,
      meaning:
        'The driver tried to attach the disk to the node and could not: the limit of disks is reached, the disk is in another zone or was deleted, the right is missing; or the attacher does not run.',
      tell: '`AttachVolume.Attach failed for volume …`, `timed out waiting for external-attacher of NAME`.',
      fix: "As the driver's error says; look at its controller pod.",
      sick: [
        {
          when: 'the attacher does not answer',
          yaml: creatingExample(
            'FailedAttachVolume',
            'AttachVolume.Attach failed for volume "pvc-1" : timed out waiting for external-attacher of ebs.csi.aws.com CSI driver to attach volume vol-1',
          ),
          says: 'external-attacher of ebs.csi.aws.com',
        },
      ],
      healthy: [],
    },
    ['FailedAttachVolume'],
    /AttachVolume\.Attach failed for volume "([^"]+)" ?: (.*)$/s,
    ({ pod, match }) => ({
      says: `The volume ${match[1]} cannot be attached to node ${pod.spec.nodeName}: ${match[2]
        ?.replace(/^rpc error: code = \w+ desc = /, '')
        .trim()
        .replace(/\.$/, '')}.`,
      cause: `attach/${match[2]?.slice(0, 80)}`,
      remedy: {
        says: /external-attacher/.test(match[2] ?? '')
          ? "Repair the driver's controller (its csi-attacher)."
          : 'Do as the error says.',
        commands: ['kubectl get volumeattachments', 'kubectl get pods -A | grep -i csi'],
      },
    }),
  ),
  phase: 'storage' as const,
};
