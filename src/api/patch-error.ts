import { badRequest, requestTooLarge, type StatusError, statusError } from './status.ts';

/**
 * Why a patch could not be applied. `malformed`: the patch is no patch (400). `unprocessable`: it does not fit the object (422, and
 * as upstream the client is not told more). `failed`: the merge broke down midway (500 with the message). `too-large`: 413.
 */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly kind: 'malformed' | 'unprocessable' | 'failed' | 'too-large';
  constructor(kind: PatchError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The Status that the API answers for a patch error (endpoints/handlers/patch.go). */
export function patchStatus(error: PatchError): StatusError {
  switch (error.kind) {
    case 'malformed':
      return badRequest(error.message);
    case 'unprocessable':
      return statusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
    case 'failed':
      return statusError(500, '', error.message);
    case 'too-large':
      return requestTooLarge(error.message);
  }
}
