import { csidrivers } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimClaim, claimFault, classExample, pendingClaimExample, pendingClaims, told } from './pending-claims.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingClaims(snapshot)) {
    const said = told(it, ['ExternalProvisioning'], /external provisioner '([^']+)'/);
    const name = said?.match[1];
    if (!said || !name) continue;
    // A provisioner at work says what goes wrong itself.
    if (it.events.some((event) => event.reason === 'ProvisioningFailed' || event.reason === 'Provisioning')) continue;
    const driver = snapshot.get(csidrivers, name);
    const pods = snapshot.pods.filter((pod) =>
      pod.containers.some((c) => c.name.includes('provisioner') || c.image.includes('provisioner')),
    );
    yield claimClaim(it, {
      says: `The claim ${it.ref.name} waits for the provisioner ${name}, and nothing of it answers${driver ? '' : ': no CSI driver of that name is installed'}.`,
      evidence: [
        said.evidence,
        computed(
          it.ref,
          `CSIDriver ${name}: ${driver ? 'registered' : 'not registered'}; pods with a provisioner: ${
            pods
              .map((pod) => `${pod.namespace}/${pod.ref.name}`)
              .slice(0, 4)
              .join(', ') || 'none'
          }`,
        ),
      ],
      certainty: 'likely',
      cause: `provisioner/${name}`,
      because: pods.map((pod) => pod.ref),
      remedy: {
        says: `Install the driver ${name}, or repair its controller pod.`,
        commands: [
          'kubectl get csidrivers',
          "kubectl get pods -A | grep -i -E 'csi|provisioner'",
          `kubectl get storageclass ${it.className ?? ''} -o yaml`,
        ],
      },
    });
  }
}

export const provisionerAbsent: Rule = {
  id: 'provisioner-absent',
  title: 'The provisioner does not answer',
  phase: 'storage',
  codes: ['STO-04'],
  symptoms: ['Pending', 'ExternalProvisioning'],
  severity: 'error',
  lint: 'never',
  rank: 88,
  meaning:
    'The class names an outside provisioner (a CSI driver). It is not installed, or its controller does not run.',
  tell: "`Waiting for a volume to be created either by the external provisioner 'NAME' or manually …`, and no event of the provisioner itself.",
  fix: 'Install or repair the driver.',
  sick: [
    {
      when: 'no such driver is there',
      yaml:
        pendingClaimExample('storageClassName: gp3', {
          reason: 'ExternalProvisioning',
          message:
            "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
        }) + classExample('gp3'),
      says: 'ebs.csi.aws.com',
    },
  ],
  healthy: [],
  fault: {
    manifest: `\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: nobody}\nprovisioner: nobody.example.com\nvolumeBindingMode: Immediate\n---${claimFault('storageClassName: nobody')}`,
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
