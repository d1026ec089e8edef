import { type FieldError, invalid } from '../../api/field-error.ts';
import { poddisruptionbudgets } from '../../api/generated/resources.ts';
import type { V1PodDisruptionBudget } from '../../api/generated/types.ts';
import { nonNegative, optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { notAbove100Percent, validateIntOrPercent } from '../int-or-percent.ts';
import { validateLabelSelector } from '../labels.ts';

type Budget = Loose<V1PodDisruptionBudget>;

function validateBudget({ spec = {} }: Budget): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    const value = spec[field] as number | string | undefined;
    if (value === undefined) continue;
    errors.push(...validateIntOrPercent(value, `spec.${field}`), ...notAbove100Percent(value, `spec.${field}`));
  }
  return [
    ...errors,
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...optionalOneOf('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, [
      'AlwaysAllow',
      'IfHealthyBudget',
    ]),
  ];
}

function emptyStatus(): NonNullable<Budget['status']> {
  return { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
}

const { column } = columnsOf<V1PodDisruptionBudget>();

export const podDisruptionBudgetKind = defineKind(poddisruptionbudgets, {
  defaults(budget) {
    budget.spec ??= {};
    budget.status = { ...emptyStatus(), ...budget.status };
  },
  hasGeneration: true,
  onCreate(budget) {
    budget.status = emptyStatus();
  },
  validate: validateBudget,
  validateStatus: ({ status = {} }) =>
    (['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((field) =>
      nonNegative(`status.${field}`, status[field]),
    ),
  columns: [
    nameColumn,
    column('Min Available', 'The minimum number of pods that must be available.', (it) =>
      String(it.spec?.minAvailable ?? 'N/A'),
    ),
    column('Max Unavailable', 'The maximum number of pods that may be unavailable.', (it) =>
      String(it.spec?.maxUnavailable ?? 'N/A'),
    ),
    column(
      'Allowed Disruptions',
      'Calculated number of pods that may be disrupted at this time.',
      (it) => it.status?.disruptionsAllowed ?? 0,
      'integer',
    ),
    ageColumn,
  ],
});
