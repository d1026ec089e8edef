import { badRequest, type StatusError } from '../../api/status.ts';

/** Where a paged list goes on. `revision` -1: wherever the list is now (after the first revision was compacted). */
export interface ContinueToken {
  readonly revision: number;
  /** What follows the list's prefix in the first key to return. */
  readonly start: string;
}

/** An opaque token of upstream's form (k8s.io/apiserver/pkg/storage/continue.go). */
export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: token.start })).toString(
    'base64url',
  );
}

/** Reads a token; throws BadRequest for anything else. */
export function decodeContinue(text: string): ContinueToken {
  const bytes = /^[A-Za-z0-9_-]+$/.test(text) ? Buffer.from(text, 'base64url').toString('utf8') : '';
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(bytes);
  } catch {
    throw invalid('continue key is not valid');
  }
  if (typeof token !== 'object' || token === null) throw invalid('continue key is not valid');
  if (token.v !== 'meta.k8s.io/v1')
    throw invalid(`continue key is not valid: server does not recognize this encoded version ${String(token.v ?? '')}`);
  if (typeof token.rv !== 'number' || !Number.isSafeInteger(token.rv) || token.rv === 0)
    throw invalid('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof token.start !== 'string' || token.start === '')
    throw invalid('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  if (token.start.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw invalid(`continue key is not valid: ${token.start}`);
  return { revision: token.rv, start: token.start };
}

const invalid = (detail: string): StatusError => badRequest(`invalid continue token: ${detail}`);
