import { required } from '../../api/field-error.ts';
import { validatingadmissionpolicies } from '../../api/generated/resources.ts';
import type { V1ValidatingAdmissionPolicy } from '../../api/generated/types.ts';
import { optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { defaultMatch, paramKindText, validateMatch } from './admission-validation.ts';

const { column } = columnsOf<V1ValidatingAdmissionPolicy>();

export const validatingAdmissionPolicyKind = defineKind(validatingadmissionpolicies, {
  defaults(policy) {
    policy.spec ??= {};
    policy.spec.failurePolicy ??= 'Fail';
    defaultMatch(policy.spec.matchConstraints);
  },
  hasGeneration: true,
  statusKeepsMeta: true,
  validate: ({ spec = {} }) => [
    ...validateMatch(spec.matchConstraints, 'spec.matchConstraints', true),
    ...optionalOneOf('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore']),
    ...(spec.paramKind && !spec.paramKind.kind ? [required('spec.paramKind.kind')] : []),
    ...((spec.validations?.length ?? 0) + (spec.auditAnnotations?.length ?? 0) > 0
      ? []
      : [
          required('spec.validations', 'validations or auditAnnotations must contain at least one item'),
          required('spec.auditAnnotations', 'validations or auditAnnotations must contain at least one item'),
        ]),
    ...(spec.validations ?? []).flatMap(({ expression = '' }, i) =>
      expression.trim() === '' ? [required(`spec.validations[${i}].expression`, 'expression is not specified')] : [],
    ),
  ],
  columns: [
    nameColumn,
    column(
      'Validations',
      'Validations indicates the number of validation rules defined in this configuration',
      (it) => it.spec?.validations?.length ?? 0,
      'integer',
    ),
    column('ParamKind', 'ParamKind specifies the kind of resources used to parameterize this policy', (it) =>
      paramKindText(it.spec?.paramKind),
    ),
    ageColumn,
  ],
});
