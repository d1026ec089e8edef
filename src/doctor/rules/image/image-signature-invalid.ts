import type { Rule } from '../../rule.ts';
import { pullExample, runningPod } from './example.ts';
import { waitingFor } from './waiting-rule.ts';

export const imageSignatureInvalid: Rule = {
  id: 'image-signature-invalid',
  title: 'The node’s policy wants a signature that the image lacks',
  phase: 'image',
  codes: ['IMG-19'],
  symptoms: ['SignatureValidationFailed'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'The container runtime of the node checks signatures of images (CRI-O: `/etc/containers/policy.json`), and this image has none that it trusts.',
  tell: 'The waiting reason is `SignatureValidationFailed`.',
  fix: 'Sign the image with a trusted key, or change the node’s policy for that registry.',
  sick: [
    {
      when: 'the policy refuses it',
      yaml: pullExample(
        'quay.io/acme/shop:2',
        'image pull failed for quay.io/acme/shop:2 because the signature validation failed: Source image rejected: A signature was required, but no signature exists',
        { reason: 'SignatureValidationFailed', bare: true },
      ),
      says: 'signature',
    },
  ],
  healthy: [{ when: 'the image runs', yaml: runningPod('web', 'quay.io/acme/shop:2') }],
  check: (snapshot) =>
    waitingFor(snapshot, 'SignatureValidationFailed', (pod, container) => ({
      says: `Node ${pod.spec.nodeName} accepts only signed images, and the signature of ${container.image} is missing or not trusted.`,
      cause: container.image,
      fix: 'Sign the image with a key that the nodes trust.',
      commands: [`cosign verify ${container.image} --key KEY.pub`, `cosign sign --key KEY ${container.image}`],
    })),
};
