import { required } from '../../api/field-error.ts';
import { validatingadmissionpolicybindings } from '../../api/generated/resources.ts';
import type { V1ValidatingAdmissionPolicyBinding } from '../../api/generated/types.ts';
import { optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { defaultMatch, paramRefText, validateMatch, validateParamRef } from './admission-validation.ts';

const { column } = columnsOf<V1ValidatingAdmissionPolicyBinding>();

export const validatingAdmissionPolicyBindingKind = defineKind(validatingadmissionpolicybindings, {
  defaults: ({ spec }) => defaultMatch(spec?.matchResources),
  hasGeneration: true,
  validate: ({ spec = {} }) => [
    ...(spec.policyName ? [] : [required('spec.policyName')]),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatch(spec.matchResources, 'spec.matchResouces', false),
    ...((spec.validationActions?.length ?? 0) > 0
      ? []
      : [required('spec.validationActions', 'at least one validation action is required')]),
    ...(spec.validationActions ?? []).flatMap((it, i) =>
      optionalOneOf(`spec.validationActions[${i}]`, it, ['Audit', 'Deny', 'Warn']),
    ),
  ],
  columns: [
    nameColumn,
    column(
      'PolicyName',
      'PolicyName indicates the policy definition which the policy binding binded to',
      (it) => it.spec?.policyName ?? '',
    ),
    column('ParamRef', 'ParamRef indicates the param resource which sets the configuration param', (it) =>
      paramRefText(it.spec?.paramRef),
    ),
    ageColumn,
  ],
});
