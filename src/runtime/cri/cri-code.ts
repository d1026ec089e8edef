import { type CriCode, CriError } from '../cri.ts';

/** True for a `CriError` with this code. */
export function hasCriCode(error: unknown, code: CriCode): error is CriError {
  return error instanceof CriError && error.code === code;
}
