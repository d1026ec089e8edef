import { rolebindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { pathName } from '../object-meta.ts';
import { bindingColumns, defaultBinding, validateBinding, validateBindingUpdate } from './rbac-validation.ts';

export const roleBindingKind = defineKind(rolebindings, {
  defaults: defaultBinding,
  validateName: pathName,
  validate: (binding) => validateBinding(binding, true),
  validateUpdate: (next, old) => validateBindingUpdate(next, old, true),
  createOnUpdate: true,
  columns: bindingColumns,
});
