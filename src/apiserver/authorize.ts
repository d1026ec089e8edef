import type { ResourceRequest } from '../api/handler.ts';
import { accessDenied } from './authz/denied.ts';
import type { AccessAttributes, Authorizer } from './contracts.ts';

/** What is asked for, in the authorizer's terms. The namespace of a request for a namespace is that namespace. */
export function attributesOf(request: ResourceRequest): AccessAttributes {
  const { user, verb, group, version, resource, subresource } = request;
  const name = request.name ?? selectedName(request);
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
    ...(request.options.fieldSelector !== undefined && { fieldSelector: request.options.fieldSelector }),
  };
}

/** A list or watch of one name by field selector asks for that object (upstream's RequestInfo does the same). */
function selectedName({ verb, options }: ResourceRequest): string | undefined {
  if (verb !== 'list' && verb !== 'watch') return undefined;
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(options.fieldSelector ?? '')?.[1];
}

/** Throws Forbidden, in upstream's words, unless it is allowed. Waits only where the authorizer needs time. */
export async function authorize(authorizer: Authorizer, attributes: AccessAttributes): Promise<void> {
  const verdict = authorizer.authorize(attributes);
  const decision = verdict instanceof Promise ? await verdict : verdict;
  if (!decision.allowed) throw accessDenied(attributes, decision);
}
