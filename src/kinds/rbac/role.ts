import { roles } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { pathName } from '../object-meta.ts';
import { roleColumns, validateRules } from './rbac-validation.ts';

export const roleKind = defineKind(roles, {
  defaults: (role) => {
    role.rules ??= [];
  },
  validateName: pathName,
  validate: (role) => validateRules(role.rules, true),
  createOnUpdate: true,
  columns: roleColumns,
});
