import type { ResourceRequest } from '../api/handler.ts';
import { accessDenied } from './authz/denied.ts';
import type { AccessAttributes, Authorizer, Decision } from './contracts.ts';

/** What is asked for, in the authorizer's terms. The namespace of a request for a namespace is that namespace. */
export function attributesOf(request: ResourceRequest): AccessAttributes {
  const { user, verb, group, version, resource, subresource } = request;
  const name = request.name ?? selectedName(request);
  const namespace =
    request.namespace ?? (resource === 'namespaces' && group === '' && name !== undefined ? name : undefined);
  const { fieldSelector } = request.options;
  // Every field in place: all attributes have one shape, and undefined stands for absent.
  return { user, verb, group, version, resource, subresource, namespace, name, fieldSelector } as AccessAttributes;
}

/** A list or watch of one name by field selector asks for that object (upstream's RequestInfo does the same). */
function selectedName({ verb, options }: ResourceRequest): string | undefined {
  if (verb !== 'list' && verb !== 'watch') return undefined;
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(options.fieldSelector ?? '')?.[1];
}

/** Throws Forbidden, in upstream's words, unless it is allowed. Waits only where the authorizer needs time. */
export function authorize(authorizer: Authorizer, attributes: AccessAttributes): Promise<void> | undefined {
  const verdict = authorizer.authorize(attributes);
  if (verdict instanceof Promise) return verdict.then((it) => insist(attributes, it));
  insist(attributes, verdict);
  return undefined;
}

function insist(attributes: AccessAttributes, decision: Decision): void {
  if (!decision.allowed) throw accessDenied(attributes, decision);
}
