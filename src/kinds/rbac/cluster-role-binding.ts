import { clusterrolebindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { pathName } from '../object-meta.ts';
import { bindingColumns, defaultBinding, validateBinding, validateBindingUpdate } from './rbac-validation.ts';

export const clusterRoleBindingKind = defineKind(clusterrolebindings, {
  defaults: defaultBinding,
  validateName: pathName,
  validate: (binding) => validateBinding(binding, false),
  validateUpdate: (next, old) => validateBindingUpdate(next, old, false),
  createOnUpdate: true,
  columns: bindingColumns,
});
