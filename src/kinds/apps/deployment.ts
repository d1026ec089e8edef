import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import { deployments } from '../../api/generated/resources.ts';
import type { V1Deployment } from '../../api/generated/types.ts';
import { nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { podTemplateWarnings } from '../core/pod-warnings.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { intOrPercentValue, notAbove100Percent, validateIntOrPercent } from '../int-or-percent.ts';
import { formatSelector } from '../labels.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import {
  templateColumns,
  validateCollisions,
  validateCounts,
  validateLastingTemplate,
  validateNeededSelector,
} from './workload.ts';

type Deployment = Loose<V1Deployment>;

function defaultDeployment(deployment: Deployment): void {
  deployment.spec ??= {};
  deployment.status ??= {};
  const { spec } = deployment;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  const { strategy } = spec;
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= '25%' as never;
    strategy.rollingUpdate.maxSurge ??= '25%' as never;
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate(spec.template);
}

function validateStrategy({ spec = {} }: Deployment, path: string): FieldError[] {
  const { strategy = {} } = spec;
  const { type, rollingUpdate } = strategy;
  if (type === 'Recreate') {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate ? [forbiddenField(`${path}.rollingUpdate`, detail)] : [];
  }
  if (type !== 'RollingUpdate') return [notSupported(path, strategy as unknown, ['Recreate', 'RollingUpdate'])];
  const at = `${path}.rollingUpdate`;
  if (!rollingUpdate) return [required(at, 'this should be defaulted and never be nil')];
  const unavailable = rollingUpdate.maxUnavailable as number | string | undefined;
  const surge = rollingUpdate.maxSurge as number | string | undefined;
  const none = intOrPercentValue(unavailable) === 0 && intOrPercentValue(surge) === 0;
  return [
    ...validateIntOrPercent(unavailable, `${at}.maxUnavailable`),
    ...validateIntOrPercent(surge, `${at}.maxSurge`),
    ...(none ? [invalid(`${at}.maxUnavailable`, unavailable, 'may not be 0 when `maxSurge` is 0')] : []),
    ...notAbove100Percent(unavailable, `${at}.maxUnavailable`),
  ];
}

function validateDeployment(deployment: Deployment): FieldError[] {
  const { spec = {} } = deployment;
  const errors = [
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateNeededSelector(spec.selector, 'spec.selector', 'deployment'),
    ...validateLastingTemplate(spec.template, spec.selector, 'spec.template', 'ReplicaSet'),
    ...validateStrategy(deployment, 'spec.strategy'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...nonNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds),
  ];
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

const { column, wide } = columnsOf<V1Deployment>();

export const deploymentKind = defineKind(deployments, {
  defaults: defaultDeployment,
  hasGeneration: true,
  annotationsCount: true,
  validate: validateDeployment,
  validateUpdate: (next, old) => [
    ...validateDeployment(next),
    ...immutable(next.spec?.selector, old.spec?.selector, 'spec.selector'),
  ],
  validateStatus: (next, old) => [
    ...validateCounts(next.status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], 'replicas'),
    ...nonNegative('status.unavailableReplicas', next.status?.unavailableReplicas),
    ...((next.status?.availableReplicas ?? 0) > (next.status?.readyReplicas ?? 0)
      ? [invalid('status.availableReplicas', next.status?.availableReplicas, 'cannot be greater than readyReplicas')]
      : []),
    ...validateCollisions(next.status, old.status),
  ],
  warnings: (next, old) =>
    old && semanticEqual(next.spec?.template, old.spec?.template)
      ? []
      : podTemplateWarnings(next.spec?.template, 'spec.template'),
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  columns: [
    nameColumn,
    column(
      'Ready',
      'Number of the pod with ready state',
      (it) => `${it.status?.readyReplicas ?? 0}/${it.spec?.replicas ?? 0}`,
    ),
    column('Up-to-date', 'Number of pods that have the desired template.', (it) => it.status?.updatedReplicas ?? 0),
    column(
      'Available',
      'Number of pods ready for at least minReadySeconds.',
      (it) => it.status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...templateColumns<V1Deployment>((it) => it.spec?.template),
    wide('Selector', 'Label selector for pods.', (it) => formatSelector(it.spec?.selector)),
  ],
});
