import type { ResourceRequest, UserInfo } from '../api/handler.ts';
import { forbidden, statusError } from '../api/status.ts';
import type { AccessAttributes, Authorizer } from './contracts.ts';

/** What is asked for, in the authorizer's terms. The namespace of a request for a namespace is that namespace. */
export function attributesOf(request: ResourceRequest): AccessAttributes {
  const { user, verb, group, version, resource, subresource, name } = request;
  const namespace =
    request.namespace ?? (resource === 'namespaces' && group === '' && name !== undefined ? name : undefined);
  return {
    user,
    verb,
    group,
    version,
    resource,
    ...(subresource !== undefined && { subresource }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
}

/** Throws Forbidden, in upstream's words (endpoints/handlers/responsewriters/errors.go), unless it is allowed. */
export async function authorize(authorizer: Authorizer, attributes: AccessAttributes): Promise<void> {
  const verdict = authorizer.authorize(attributes);
  const decision = verdict instanceof Promise ? await verdict : verdict;
  if (!decision.allowed) throw refusal(attributes, decision.reason);
}

function refusal(attributes: AccessAttributes, reason: string): Error {
  const { user, verb, group = '', resource, subresource, namespace, name = '', path } = attributes;
  const because = reason === '' ? '' : `: ${reason}`;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (resource === undefined) {
    return statusError(403, 'Forbidden', `forbidden: ${who} path ${JSON.stringify(path ?? '')}${because}`, {});
  }
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  const text = `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${because}`;
  return forbidden({ group, resource }, name, text);
}

/** True for the server's own identity, which nobody needs to ask about. */
export function isLoopback(user: UserInfo): boolean {
  return user.name === 'system:apiserver' && user.groups.includes('system:masters');
}
