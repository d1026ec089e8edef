import { type FieldError, required } from '../../api/field-error.ts';
import { clusterroles } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { validateLabelSelector } from '../labels.ts';
import { pathName } from '../object-meta.ts';
import { roleColumns, validateRules } from './rbac-validation.ts';

export const clusterRoleKind = defineKind(clusterroles, {
  defaults: (role) => {
    role.rules ??= [];
  },
  validateName: pathName,
  validate(role) {
    const errors: FieldError[] = validateRules(role.rules, false);
    const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
    const at = 'aggregationRule.clusterRoleSelectors';
    if (role.aggregationRule && selectors.length === 0) {
      errors.push(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    }
    return [...errors, ...selectors.flatMap((it, i) => validateLabelSelector(it, `${at}[${i}]`))];
  },
  createOnUpdate: true,
  columns: roleColumns,
});
