import { type FieldError, fieldErrorBody, showFieldError } from './field-error.ts';
import type { V1Status, V1StatusCause } from './generated/types.ts';
import { type GroupResource, qualified } from './resource.ts';

/** An answer of the API that is not success: carries Kubernetes' own `Status`. Built only by the functions below. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: V1Status;
  constructor(status: V1Status) {
    super(status.message ?? status.reason ?? 'unknown error');
    this.status = status;
  }
  get code(): number {
    return this.status.code ?? 500;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** True for a `StatusError` with this reason, e.g. `NotFound`, `AlreadyExists`, `Conflict`. */
export function hasReason(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason;
}

/** A failure Status of the given code, reason and message, as a throwable. */
export function statusError(code: number, reason: string, message: string, details?: V1Status['details']): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason !== '' && { reason }),
    ...(details && { details }),
    code,
  });
}

const detailsOf = (it: GroupResource, name?: string): V1Status['details'] => ({
  ...(name && { name }),
  ...(it.group && { group: it.group }),
  kind: it.resource,
});

export const notFound = (it: GroupResource, name: string): StatusError =>
  statusError(404, 'NotFound', `${qualified(it)} "${name}" not found`, detailsOf(it, name));

export const alreadyExists = (it: GroupResource, name: string): StatusError =>
  statusError(409, 'AlreadyExists', `${qualified(it)} "${name}" already exists`, detailsOf(it, name));

export const conflict = (it: GroupResource, name: string, detail: string): StatusError =>
  statusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(it)} "${name}": ${detail}`,
    detailsOf(it, name),
  );

/** The detail upstream gives for a stale resourceVersion. */
export const modifiedDetail =
  'the object has been modified; please apply your changes to the latest version and try again';

export const forbidden = (it: GroupResource, name: string, detail: string): StatusError =>
  statusError(
    403,
    'Forbidden',
    name === '' ? `${qualified(it)} is forbidden: ${detail}` : `${qualified(it)} "${name}" is forbidden: ${detail}`,
    detailsOf(it, name),
  );

export const unauthorized = (): StatusError => statusError(401, 'Unauthorized', 'Unauthorized');

/** 422: `Pod "x" is invalid: spec.a: Required value` or a bracketed list of several. */
export function invalidObject(group: string, kind: string, name: string, errors: readonly FieldError[]): StatusError {
  const shown = errors.map(showFieldError);
  const list = shown.length === 1 ? shown[0] : `[${shown.join(', ')}]`;
  const causes: V1StatusCause[] = errors.map((error) => ({
    reason: error.type,
    message: fieldErrorBody(error),
    field: error.field,
  }));
  const subject = group === '' ? kind : `${kind}.${group}`;
  return statusError(422, 'Invalid', `${subject} "${name}" is invalid: ${list}`, {
    ...(name && { name }),
    ...(group && { group }),
    kind,
    causes,
  });
}

export const badRequest = (message: string): StatusError => statusError(400, 'BadRequest', message);
export const methodNotSupported = (it: GroupResource, action: string): StatusError =>
  statusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${qualified(it)}"`,
    detailsOf(it),
  );
export const unsupportedMediaType = (message: string): StatusError => statusError(415, 'UnsupportedMediaType', message);
export const notAcceptable = (message: string): StatusError => statusError(406, 'NotAcceptable', message);
export const gone = (message: string): StatusError => statusError(410, 'Gone', message);
/** 410 Expired: a resourceVersion or continue token that history no longer reaches. */
export const expired = (message: string): StatusError => statusError(410, 'Expired', message);
export const requestTooLarge = (message: string): StatusError =>
  statusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  statusError(429, 'TooManyRequests', message, { retryAfterSeconds });
export const internalError = (message: string): StatusError =>
  statusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
export const timedOut = (message: string, retryAfterSeconds = 0): StatusError =>
  statusError(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds });
export const unavailable = (message: string): StatusError => statusError(503, 'ServiceUnavailable', message);
/** 404 for a path that serves nothing. */
export const noSuchPath = (): StatusError =>
  statusError(404, 'NotFound', 'the server could not find the requested resource', {});
