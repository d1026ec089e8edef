import { namespaces } from '../../api/generated/resources.ts';
import { forbidden, notFound, statusError } from '../../api/status.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';
import { refuse } from './request.ts';

const it = { group: '', resource: 'namespaces' };
const immortal = new Set(['default', 'kube-system', 'kube-public']);
/** Reviews are asked about namespaces that need not exist. */
const reviews = 'localsubjectaccessreviews';

/** No content for namespaces that are missing or on their way out (k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle). */
export function namespaceLifecycle(context: ServerContext): AdmissionPlugin {
  const check = (request: AdmissionRequest): void => {
    const { operation, resource, namespace } = request;
    if (resource.plural === 'namespaces' && resource.group === '') {
      if (operation === 'DELETE' && !request.subresource && immortal.has(request.name)) {
        throw forbidden(it, request.name, 'this namespace may not be deleted');
      }
      return;
    }
    if (!namespace || operation === 'DELETE' || operation === 'CONNECT' || resource.plural === reviews) return;
    const found = context.reader.get(namespaces, undefined, namespace);
    if (!found) throw notFound(it, namespace);
    if (operation !== 'CREATE' || found.status?.phase !== 'Terminating') return;
    const refusal = refuse(
      request,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    throw statusError(403, 'Forbidden', refusal.message, {
      ...refusal.status.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    });
  };
  return { name: 'NamespaceLifecycle', admit: check };
}
