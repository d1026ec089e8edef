import { required } from '../../api/field-error.ts';
import { mutatingadmissionpolicybindings } from '../../api/generated/resources.ts';
import type { V1MutatingAdmissionPolicyBinding } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { defaultMatch, paramRefText, validateMatch, validateParamRef } from './admission-validation.ts';

const { column } = columnsOf<V1MutatingAdmissionPolicyBinding>();

export const mutatingAdmissionPolicyBindingKind = defineKind(mutatingadmissionpolicybindings, {
  defaults: ({ spec }) => defaultMatch(spec?.matchResources),
  hasGeneration: true,
  validate: ({ spec = {} }) => [
    ...(spec.policyName ? [] : [required('spec.policyName')]),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatch(spec.matchResources, 'spec.matchResouces', false),
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
