import { type FieldError, invalid } from '../../api/field-error.ts';
import { replicasets } from '../../api/generated/resources.ts';
import type { V1ReplicaSet } from '../../api/generated/types.ts';
import { nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { podTemplateWarnings } from '../core/pod-warnings.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { formatSelector } from '../labels.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { templateColumns, validateCounts, validateLastingTemplate, validateNeededSelector } from './workload.ts';

type ReplicaSet = Loose<V1ReplicaSet>;

function validateReplicaSet({ spec = {} }: ReplicaSet): FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    // Upstream names the deployment here as well.
    ...validateNeededSelector(spec.selector, 'spec.selector', 'deployment'),
    ...validateLastingTemplate(spec.template, spec.selector, 'spec.template', 'ReplicaSet'),
  ];
}

const { column, wide } = columnsOf<V1ReplicaSet>();

export const replicaSetKind = defineKind(replicasets, {
  defaults(set) {
    set.spec ??= {};
    set.status ??= {};
    set.status.replicas ??= 0;
    set.spec.replicas ??= 1;
    defaultPodTemplate(set.spec.template);
  },
  hasGeneration: true,
  onCreate(set) {
    set.status = { replicas: 0 };
  },
  validate: validateReplicaSet,
  validateUpdate: (next, old) => [
    ...validateReplicaSet(next),
    ...immutable(next.spec?.selector, old.spec?.selector, 'spec.selector'),
  ],
  validateStatus: ({ status = {} }) => [
    ...validateCounts(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], 'replicas'),
    ...((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)
      ? [invalid('status.availableReplicas', status.availableReplicas, 'cannot be greater than readyReplicas')]
      : []),
  ],
  warnings: (next, old) =>
    old && semanticEqual(next.spec?.template, old.spec?.template)
      ? []
      : podTemplateWarnings(next.spec?.template, 'spec.template'),
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  selectableFields: { 'status.replicas': (it) => String(it.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    column('Desired', 'Number of desired pods.', (it) => it.spec?.replicas ?? 0, 'integer'),
    column('Current', 'Number of pods observed.', (it) => it.status?.replicas ?? 0, 'integer'),
    column('Ready', 'Number of pods with a Ready Condition.', (it) => it.status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...templateColumns<V1ReplicaSet>((it) => it.spec?.template),
    wide('Selector', 'Label query over pods.', (it) => formatSelector(it.spec?.selector)),
  ],
});
