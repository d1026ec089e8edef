import { required } from '../../api/field-error.ts';
import { mutatingadmissionpolicies } from '../../api/generated/resources.ts';
import type { V1MutatingAdmissionPolicy } from '../../api/generated/types.ts';
import { optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { defaultMatch, paramKindText, validateMatch } from './admission-validation.ts';

const { column } = columnsOf<V1MutatingAdmissionPolicy>();

export const mutatingAdmissionPolicyKind = defineKind(mutatingadmissionpolicies, {
  defaults(policy) {
    policy.spec ??= {};
    policy.spec.failurePolicy ??= 'Fail';
    defaultMatch(policy.spec.matchConstraints);
  },
  hasGeneration: true,
  validate: ({ spec = {} }) => [
    ...validateMatch(spec.matchConstraints, 'spec.matchConstraints', true),
    ...optionalOneOf('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore']),
    ...(spec.paramKind && !spec.paramKind.kind ? [required('spec.paramKind.kind')] : []),
    ...((spec.mutations?.length ?? 0) > 0 ? [] : [required('spec.mutations', 'must contain at least one mutation')]),
  ],
  columns: [
    nameColumn,
    column(
      'Mutations',
      'Mutation indicates the number of mutations rules defined in this configuration',
      (it) => it.spec?.mutations?.length ?? 0,
      'integer',
    ),
    column('ParamKind', 'ParamKind specifies the kind of resources used to parameterize this policy', (it) =>
      paramKindText(it.spec?.paramKind),
    ),
    ageColumn,
  ],
});
