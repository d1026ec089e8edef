import { isRecord } from '../../../api/draft.ts';
import type { V1Status } from '../../../api/generated/types.ts';
import { StatusError } from '../../../api/status.ts';

/** What a webhook answered, checked (k8s.io/apiserver/pkg/admission/plugin/webhook/request). */
export interface ReviewAnswer {
  readonly allowed: boolean;
  readonly status: V1Status | undefined;
  /** JSON Patch operations. */
  readonly patch: unknown;
  readonly warnings: readonly string[];
}

/** Reads the text of an AdmissionReview; throws an Error in upstream's words for what is none. */
export function readReview(text: string, uid: string, version: string, mayPatch: boolean): ReviewAnswer {
  let review: unknown;
  try {
    review = JSON.parse(text);
  } catch (error) {
    throw new Error(`failed to decode the webhook's answer: ${error instanceof Error ? error.message : String(error)}`);
  }
  const wanted = `admission.k8s.io/${version}, Kind=AdmissionReview`;
  if (!isRecord(review) || !isRecord(review['response'])) throw new Error('webhook response was absent');
  const shown = `${String(review['apiVersion'] ?? '')}, Kind=${String(review['kind'] ?? '')}`;
  if (shown !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${shown}`);
  const { response } = review as { response: Record<string, unknown> };
  if (response['uid'] !== uid) {
    throw new Error(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(String(response['uid'] ?? ''))}`,
    );
  }
  const { patch, patchType } = response;
  const encoded = typeof patch === 'string' ? patch : '';
  if (!mayPatch && encoded !== '') throw new Error('validating webhook may not return response.patch');
  if (encoded !== '' && patchType === undefined) {
    throw new Error('webhook returned response.patch but not response.patchType');
  }
  if (encoded === '' && mayPatch && patchType !== undefined && patchType !== 'JSONPatch') {
    throw new Error('webhook returned response.patchType but not response.patch');
  }
  if (encoded !== '' && patchType !== 'JSONPatch') {
    throw new Error(`unsupported patch type ${JSON.stringify(String(patchType))}`);
  }
  return {
    allowed: response['allowed'] === true,
    status: isRecord(response['status']) ? (response['status'] as V1Status) : undefined,
    patch: encoded === '' ? undefined : JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')),
    warnings: Array.isArray(response['warnings']) ? response['warnings'].map(String) : [],
  };
}

/** The refusal that a webhook asked for. */
export function deniedBy(webhook: string, sent: V1Status | undefined): StatusError {
  const opening = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const message = sent?.message
    ? `${opening}: ${sent.message}`
    : sent?.reason
      ? `${opening}: ${sent.reason}`
      : `${opening} without explanation`;
  const code = sent?.code ?? 0;
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(sent?.reason && { reason: sent.reason }),
    ...(sent?.details && { details: sent.details }),
    code: Math.max(code, 400),
  });
}
