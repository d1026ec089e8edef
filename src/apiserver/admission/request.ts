import type { V1Pod } from '../../api/generated/types.ts';
import { forbidden, type StatusError } from '../../api/status.ts';
import { asLoose, type Loose } from '../../kinds/draft.ts';
import type { AdmissionRequest } from '../contracts.ts';

/** The name to show for what is admitted: its own, or the prefix from which one will be made. */
export function shownName(request: AdmissionRequest): string {
  if (request.name !== '') return request.name;
  const meta = asLoose<V1Pod>(request.object ?? {}).metadata;
  return meta?.name || meta?.generateName || '';
}

/** 403 `pods "x" is forbidden: detail`, as admission.NewForbidden builds it. */
export function refuse(request: AdmissionRequest, detail: string): StatusError {
  return forbidden({ group: request.resource.group, resource: request.resource.plural }, shownName(request), detail);
}

/** True where the request is for this resource (and subresource, or none). */
export function isFor(request: AdmissionRequest, group: string, plural: string, subresource?: string): boolean {
  return request.resource.plural === plural && request.resource.group === group && request.subresource === subresource;
}

export const draftOf = <T>(request: AdmissionRequest): Loose<T> => asLoose<T>(request.object ?? {});

/** One sentence, or `[a, b]` for several: Go's aggregate of errors, each once. */
export function aggregate(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

export const isMirrorPod = (pod: Loose<V1Pod>): boolean =>
  pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
