import type { SigningRequest } from '../../pki/signing-request.ts';

/** The signers that this cluster answers for. */
export const kubeletServing = 'kubernetes.io/kubelet-serving';
export const kubeletClient = 'kubernetes.io/kube-apiserver-client-kubelet';
export const apiClient = 'kubernetes.io/kube-apiserver-client';
const legacyUnknown = 'kubernetes.io/legacy-unknown';
export const signers: readonly string[] = [kubeletServing, kubeletClient, apiClient, legacyUnknown];

const sameUsages = (usages: readonly string[], wanted: readonly string[]): boolean =>
  new Set(usages).size === wanted.length && wanted.every((it) => usages.includes(it));

/** Why a request is not one that its signer signs, or undefined when it is (pkg/apis/certificates/helpers.go). Pure. */
export function refusal(request: SigningRequest, signer: string, usages: readonly string[]): string | undefined {
  switch (signer) {
    case kubeletClient:
      return nodeRefusal(request, 'client auth', usages);
    case kubeletServing:
      return nodeRefusal(request, 'server auth', usages);
    case apiClient: {
      const odd = usages.find((it) => !['digital signature', 'key encipherment', 'client auth'].includes(it));
      if (odd !== undefined) return `invalid usage for client certificate: ${odd}`;
      return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
    }
    default:
      return undefined;
  }
}

function nodeRefusal(
  { subject, names }: SigningRequest,
  purpose: 'client auth' | 'server auth',
  usages: readonly string[],
): string | undefined {
  const serving = purpose === 'server auth';
  if (subject.organizations.length !== 1 || subject.organizations[0] !== 'system:nodes') {
    return 'subject organization is not system:nodes';
  }
  if (serving && names.dnsNames.length === 0 && names.ipAddresses.length === 0) {
    return 'DNS or IP subjectAltName is required';
  }
  if (!serving && names.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (names.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (!serving && names.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (names.uris.length > 0) return 'URI subjectAltNames are not allowed';
  const wanted = ['digital signature', 'key encipherment', purpose];
  const matches = sameUsages(usages, wanted) || sameUsages(usages, ['digital signature', purpose]);
  // Upstream checks the name of a serving certificate after its usages, of a client one before.
  const badName = subject.commonName.startsWith('system:node:')
    ? undefined
    : 'subject common name does not begin with system:node:';
  const badUsages = matches ? undefined : `usages did not match [${[...wanted].sort().join(' ')}]`;
  return serving ? (badUsages ?? badName) : (badName ?? badUsages);
}
