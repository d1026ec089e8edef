import type { Live } from '../../api/resource.ts';

/** One change of one object, in the resource's storage version. Has the shape of a watch event, so it is handed out as it is. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED the last state, with the revision of the deletion. */
  readonly object: Live;
  readonly old?: Live;
  readonly revision: number;
}
