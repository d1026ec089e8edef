import { componentstatuses } from '../../api/generated/resources.ts';
import type { V1ComponentStatus } from '../../api/generated/types.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';

const healthy = (it: Loose<V1ComponentStatus>) => it.conditions?.find((condition) => condition.type === 'Healthy');
const { column } = columnsOf<V1ComponentStatus>();

export const componentStatusKind = defineKind(componentstatuses, {
  virtual: true,
  columns: [
    nameColumn,
    column('Status', 'Status of the component conditions', (it) => {
      const condition = healthy(it);
      if (!condition) return 'Unknown';
      return condition.status === 'True' ? 'Healthy' : 'Unhealthy';
    }),
    column('Message', 'Message of the component conditions', (it) => healthy(it)?.message ?? ''),
    column('Error', 'Error of the component conditions', (it) => healthy(it)?.error ?? ''),
  ],
});
