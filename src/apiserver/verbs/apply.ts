import type { ResourceResult } from '../../api/handler.ts';
import { notAcceptable } from '../../api/status.ts';
import type { Operation } from '../core.ts';

/** Server-side apply. */
export async function apply(_op: Operation, _body: unknown): Promise<ResourceResult> {
  throw notAcceptable('server-side apply is not served');
}
