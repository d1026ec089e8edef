import type { Live } from '../../api/resource.ts';
import type { Draft } from '../../kinds/kind.ts';
import type { Operation } from '../core.ts';

/** Updates managedFields of a draft (storage version) for a create or update by the requester. */
export function fieldsOfWrite(_op: Operation, _old: Live | undefined, _draft: Draft): void {
  return;
}
