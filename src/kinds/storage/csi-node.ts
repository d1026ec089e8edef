import { duplicate, type FieldError, required } from '../../api/field-error.ts';
import { csinodes } from '../../api/generated/resources.ts';
import type { V1CSINode } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';

const { column } = columnsOf<V1CSINode>();

export const csiNodeKind = defineKind(csinodes, {
  defaults: (node) => {
    node.spec ??= {};
    node.spec.drivers ??= [];
  },
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    const seen = new Set<string>();
    spec.drivers?.forEach(({ name = '', nodeID = '' }, i) => {
      const at = `spec.drivers[${i}]`;
      if (name === '') errors.push(required(`${at}.name`));
      else if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
      seen.add(name);
      if (nodeID === '') errors.push(required(`${at}.nodeID`));
    });
    return errors;
  },
  columns: [
    nameColumn,
    column('Drivers', 'The number of CSI drivers on the node.', (it) => it.spec?.drivers?.length ?? 0, 'integer'),
    ageColumn,
  ],
});
