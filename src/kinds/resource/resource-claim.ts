import { resourceclaims } from '../../api/generated/resources.ts';
import type { ResourceV1ResourceClaim } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { immutable } from '../object-meta.ts';
import { defaultDevices } from './device-requests.ts';

function state({ metadata = {}, status = {} }: Loose<ResourceV1ResourceClaim>): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp) states.push('deleted');
  if (!status.allocation) {
    if (states.length === 0) states.push('pending');
  } else {
    states.push('allocated');
    if ((status.reservedFor?.length ?? 0) > 0) states.push('reserved');
  }
  return states.join(',');
}

const { column } = columnsOf<ResourceV1ResourceClaim>();

export const resourceClaimKind = defineKind(resourceclaims, {
  defaults: ({ spec }) => defaultDevices(spec?.devices),
  statusKeepsMeta: true,
  validateUpdate: (next, old) => immutable(next.spec, old.spec, 'spec'),
  columns: [
    nameColumn,
    column('State', 'A summary of the current state (allocated, pending, reserved, etc.).', state),
    ageColumn,
  ],
});
