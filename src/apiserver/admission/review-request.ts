import type { AdmissionRequest } from '../contracts.ts';

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' } as const;

/** The request as webhooks and CEL expressions see it: `AdmissionRequest` of admission.k8s.io/v1. */
export function reviewRequest(request: AdmissionRequest, uid: string): Readonly<Record<string, unknown>> {
  const { resource, user, options, operation } = request;
  const { group, version } = resource;
  const kindName = subjectKind(request);
  const kind = { ...kindName };
  const named = { group, version, resource: resource.plural };
  const optionKind = optionKinds[operation];
  return {
    uid,
    kind,
    resource: named,
    ...(request.subresource !== undefined && { subResource: request.subresource }),
    requestKind: kind,
    requestResource: named,
    ...(request.subresource !== undefined && { requestSubResource: request.subresource }),
    ...(request.name !== '' && { name: request.name }),
    ...(request.namespace !== undefined && { namespace: request.namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    object: request.object ?? null,
    oldObject: request.old ?? null,
    dryRun: request.dryRun,
    options:
      optionKind === ''
        ? null
        : {
            kind: optionKind,
            apiVersion: 'meta.k8s.io/v1',
            ...(request.dryRun && { dryRun: ['All'] }),
            ...(options.fieldManager !== undefined && operation !== 'DELETE' && { fieldManager: options.fieldManager }),
            ...(operation === 'DELETE' && {
              ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
              ...(options.propagationPolicy !== undefined && { propagationPolicy: options.propagationPolicy }),
            }),
          },
  };
}

/** The kind of what is admitted: of the object itself for subresources that have their own. */
function subjectKind(request: AdmissionRequest): { group: string; version: string; kind: string } {
  const { resource, subresource } = request;
  const info = subresource ? resource.subresources?.find((known) => known.name === subresource) : undefined;
  return {
    group: info?.group ?? resource.group,
    version: info?.version ?? resource.version,
    kind: info?.kind ?? resource.kind,
  };
}
