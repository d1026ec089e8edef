import type { V1CertificateSigningRequest } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { DerError } from '../../pki/der.ts';
import { parseSigningRequest } from '../../pki/signing-request.ts';
import { quote } from '../authz/quote.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';
import { draftOf, isFor, refuse } from './request.ts';

const group = 'certificates.k8s.io';
const plural = 'certificatesigningrequests';

/** True where the user may do `verb` for the signer, by its name or for its whole domain (pkg/apis/certificates/authorization). */
async function mayForSigner(
  context: ServerContext,
  request: AdmissionRequest,
  verb: string,
  signer: string,
): Promise<boolean> {
  const ask = async (name: string): Promise<boolean> => {
    const attributes = { user: request.user, verb, group, version: '*', resource: 'signers', name };
    return (await context.authorizer.authorize(attributes)).allowed;
  };
  return (await ask(signer)) || ask(`${signer.split('/')[0] ?? ''}/*`);
}

/** Approving needs the right to `approve` for the signer (plugin/pkg/admission/certificates/approval). */
export function certificateApproval(context: ServerContext): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    resources: ['certificatesigningrequests.certificates.k8s.io'],
    async validate(request) {
      if (request.operation !== 'UPDATE' || !isFor(request, group, plural, 'approval')) return;
      const old = request.old as Live<V1CertificateSigningRequest> | undefined;
      const signer = old?.spec.signerName ?? '';
      if (!(await mayForSigner(context, request, 'approve', signer))) {
        throw refuse(request, `user not permitted to approve requests with signerName ${quote(signer)}`);
      }
    },
  };
}

/** Issuing needs the right to `sign` for the signer (plugin/pkg/admission/certificates/signing). */
export function certificateSigning(context: ServerContext): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    resources: ['certificatesigningrequests.certificates.k8s.io'],
    async validate(request) {
      if (request.operation !== 'UPDATE' || !isFor(request, group, plural, 'status')) return;
      const old = request.old as Live<V1CertificateSigningRequest> | undefined;
      const next = draftOf<V1CertificateSigningRequest>(request);
      const same =
        semanticEqual(old?.status?.certificate, next.status?.certificate) &&
        semanticEqual(old?.status?.conditions, next.status?.conditions);
      if (same) return;
      const signer = old?.spec.signerName ?? '';
      if (!(await mayForSigner(context, request, 'sign', signer))) {
        throw refuse(request, `user not permitted to sign requests with signerName ${quote(signer)}`);
      }
    },
  };
}

/** Nobody asks for a client certificate of system:masters (plugin/pkg/admission/certificates/subjectrestriction). */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  resources: ['certificatesigningrequests.certificates.k8s.io'],
  validate(request) {
    if (request.operation !== 'CREATE' || !isFor(request, group, plural)) return;
    const { spec } = draftOf<V1CertificateSigningRequest>(request);
    const signer = 'kubernetes.io/kube-apiserver-client';
    if (spec?.signerName !== signer) return;
    try {
      const { subject } = parseSigningRequest(Buffer.from(spec.request ?? '', 'base64').toString('utf8'));
      if (subject.organizations.includes('system:masters')) {
        throw refuse(request, `use of ${signer} signer with system:masters group is not allowed`);
      }
    } catch (error) {
      if (error instanceof DerError) throw refuse(request, `failed to parse CSR: ${error.message}`);
      throw error;
    }
  },
};
