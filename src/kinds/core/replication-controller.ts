import { type FieldError, required } from '../../api/field-error.ts';
import { replicationcontrollers } from '../../api/generated/resources.ts';
import type { V1ReplicationController } from '../../api/generated/types.ts';
import { templateColumns, validateCounts, validateLastingTemplate } from '../apps/workload.ts';
import { nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { formatLabels } from '../labels.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { podTemplateWarnings } from './pod-warnings.ts';

type Controller = Loose<V1ReplicationController>;

function defaultController(controller: Controller): void {
  controller.spec ??= {};
  controller.status ??= {};
  controller.status.replicas ??= 0;
  const { spec } = controller;
  const labels = spec.template?.metadata?.labels;
  if (labels) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    controller.metadata ??= {};
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
  }
  spec.replicas ??= 1;
  defaultPodTemplate(spec.template);
}

function validateController({ spec = {} }: Controller): FieldError[] {
  return [
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...(Object.keys(spec.selector ?? {}).length === 0 ? [required('spec.selector')] : []),
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateLastingTemplate(
      spec.template,
      { matchLabels: spec.selector ?? {} },
      'spec.template',
      'ReplicationController',
    ),
  ];
}

const { column, wide } = columnsOf<V1ReplicationController>();

export const replicationControllerKind = defineKind(replicationcontrollers, {
  defaults: defaultController,
  hasGeneration: true,
  onCreate(controller) {
    controller.status = { replicas: 0 };
  },
  validate: validateController,
  validateStatus: ({ status }) =>
    validateCounts(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], 'replicas'),
  warnings: (next) => podTemplateWarnings(next.spec?.template, 'spec.template'),
  defaultDeletion: 'Orphan',
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  selectableFields: { 'status.replicas': (it) => String(it.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    column('Desired', 'Number of desired pods.', (it) => it.spec?.replicas ?? 0, 'integer'),
    column('Current', 'Number of pods observed.', (it) => it.status?.replicas ?? 0, 'integer'),
    column('Ready', 'Number of ready pods.', (it) => it.status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...templateColumns<V1ReplicationController>((it) => it.spec?.template),
    wide('Selector', 'Label query over pods.', (it) => formatLabels(it.spec?.selector)),
  ],
});
