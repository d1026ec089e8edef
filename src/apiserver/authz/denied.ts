import { forbidden, type StatusError, statusError } from '../../api/status.ts';
import type { AccessAttributes, Decision } from '../contracts.ts';
import { quote } from './quote.ts';

/** The sentence that tells what was refused (k8s.io/apiserver, responsewriters.forbiddenMessage). */
export function deniedSentence(attributes: AccessAttributes): string {
  const who = `User ${quote(attributes.user.name)} cannot`;
  if (attributes.path !== undefined) return `${who} ${attributes.verb} path ${quote(attributes.path)}`;
  const resource = attributes.subresource
    ? `${attributes.resource ?? ''}/${attributes.subresource}`
    : (attributes.resource ?? '');
  const where = attributes.namespace ? `in the namespace ${quote(attributes.namespace)}` : 'at the cluster scope';
  return `${who} ${attributes.verb} resource ${quote(resource)} in API group ${quote(attributes.group ?? '')} ${where}`;
}

/** The 403 for a refused request. */
export function accessDenied(attributes: AccessAttributes, decision: Decision): StatusError {
  const sentence = deniedSentence(attributes);
  const detail = decision.reason === '' ? sentence : `${sentence}: ${decision.reason}`;
  if (attributes.path !== undefined) return statusError(403, 'Forbidden', `forbidden: ${detail}`, {});
  return forbidden(
    { group: attributes.group ?? '', resource: attributes.resource ?? '' },
    attributes.name ?? '',
    detail,
  );
}
