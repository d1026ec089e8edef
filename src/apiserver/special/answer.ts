import type { ResourceRequest, ResourceResult } from '../../api/handler.ts';
import type { KubeObject } from '../../api/resource.ts';
import { badRequest } from '../../api/status.ts';
import { asLoose, type Loose } from '../../kinds/draft.ts';

/** 201 with `{kind: Status, status: Success}`, as binding and eviction answer. */
export const success: ResourceResult = Object.freeze({
  type: 'answer',
  code: 201,
  object: Object.freeze({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }),
});

export const created = (object: KubeObject): ResourceResult => ({ type: 'answer', code: 201, object });

/** The object that came with the request. Nothing in it is sure to be there. */
export function bodyOf<T>(request: ResourceRequest, kind: string): Loose<T> {
  if (!request.body) throw badRequest(`the body of the request was in an unknown format - expected ${kind}`);
  const sent = request.body.kind;
  if (sent !== undefined && sent !== '' && sent !== kind) {
    throw badRequest(
      `${sent} in version ${JSON.stringify(request.body.apiVersion ?? '')} cannot be handled as a ${kind}`,
    );
  }
  return asLoose<T>(request.body);
}
