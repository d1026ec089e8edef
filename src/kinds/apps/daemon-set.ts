import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { daemonsets } from '../../api/generated/resources.ts';
import type { V1DaemonSet } from '../../api/generated/types.ts';
import { nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { validatePodTemplate } from '../core/pod-validation.ts';
import { podTemplateWarnings } from '../core/pod-warnings.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { intOrPercentValue, notAbove100Percent, validateIntOrPercent } from '../int-or-percent.ts';
import { formatLabels, formatSelector, isEmptySelector, selectorMatches, validateLabelSelector } from '../labels.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { mismatch, templateColumns, validateCollisions, validateLasting } from './workload.ts';

type DaemonSet = Loose<V1DaemonSet>;

const generationAnnotation = 'deprecated.daemonset.template.generation';
const counts = [
  ...['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'],
  ...['observedGeneration', 'updatedNumberScheduled', 'numberAvailable', 'numberUnavailable', 'collisionCount'],
] as const;

function emptyStatus(): NonNullable<DaemonSet['status']> {
  return { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
}

function defaultDaemonSet(set: DaemonSet): void {
  set.spec ??= {};
  set.status ??= {};
  for (const [field, zero] of Object.entries(emptyStatus())) (set.status as Record<string, unknown>)[field] ??= zero;
  const { spec } = set;
  spec.updateStrategy ??= {};
  const { updateStrategy } = spec;
  updateStrategy.type ||= 'RollingUpdate';
  if (updateStrategy.type === 'RollingUpdate') {
    updateStrategy.rollingUpdate ??= {};
    updateStrategy.rollingUpdate.maxUnavailable ??= 1 as never;
    updateStrategy.rollingUpdate.maxSurge ??= 0 as never;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate(spec.template);
}

/** The count of template changes, kept in an annotation since apps/v1 lost its field. */
function setTemplateGeneration(set: DaemonSet, generation: number): void {
  set.metadata ??= {};
  set.metadata.annotations = { ...set.metadata.annotations, [generationAnnotation]: String(generation) };
}

function validateStrategy({ spec = {} }: DaemonSet, path: string): FieldError[] {
  const { updateStrategy = {} } = spec;
  const { type, rollingUpdate } = updateStrategy;
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') return [notSupported(path, updateStrategy as unknown, ['RollingUpdate', 'OnDelete'])];
  const at = `${path}.rollingUpdate`;
  if (!rollingUpdate) return [required(at)];
  const unavailable = rollingUpdate.maxUnavailable as number | string | undefined;
  const surge = rollingUpdate.maxSurge as number | string | undefined;
  const errors = [
    ...validateIntOrPercent(unavailable, `${at}.maxUnavailable`),
    ...validateIntOrPercent(surge, `${at}.maxSurge`),
    ...notAbove100Percent(unavailable, `${at}.maxUnavailable`),
    ...notAbove100Percent(surge, `${at}.maxSurge`),
  ];
  const hasUnavailable = intOrPercentValue(unavailable) !== 0;
  const hasSurge = intOrPercentValue(surge) !== 0;
  if (hasUnavailable && hasSurge) {
    errors.push(invalid(`${at}.maxSurge`, surge, 'may not be set when maxUnavailable is non-zero'));
  } else if (!hasUnavailable && !hasSurge) {
    errors.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}

function validateDaemonSet(set: DaemonSet): FieldError[] {
  const { spec = {} } = set;
  const { selector, template } = spec;
  const errors = validateLabelSelector(selector, 'spec.selector');
  const labels = template?.metadata?.labels;
  if (!selectorMatches(selector, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, mismatch));
  }
  if (selector && isEmptySelector(selector)) {
    errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'));
  }
  return [
    ...errors,
    ...validatePodTemplate(template ?? {}, 'spec.template'),
    ...validateLasting(template ?? {}, 'spec.template', 'DaemonSet'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateStrategy(set, 'spec.updateStrategy'),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ];
}

const { column, wide } = columnsOf<V1DaemonSet>();

export const daemonSetKind = defineKind(daemonsets, {
  defaults: defaultDaemonSet,
  hasGeneration: true,
  onCreate(set) {
    set.status = emptyStatus();
    setTemplateGeneration(set, 1);
  },
  onUpdate(next, old) {
    const before = Number(old.metadata?.annotations?.[generationAnnotation] ?? 1);
    const changed = !semanticEqual(next.spec?.template, old.spec?.template);
    setTemplateGeneration(next, changed ? before + 1 : before);
  },
  validate: validateDaemonSet,
  validateUpdate: (next, old) => [
    ...immutable(next.spec?.selector, old.spec?.selector, 'spec.selector'),
    ...validateDaemonSet(next),
  ],
  validateStatus: ({ status = {} }, old) => [
    ...counts.flatMap((field) => nonNegative(`status.${field}`, status[field])),
    ...validateCollisions(status, old.status),
  ],
  warnings: (next, old) =>
    old && semanticEqual(next.spec?.template, old.spec?.template)
      ? []
      : podTemplateWarnings(next.spec?.template, 'spec.template'),
  columns: [
    nameColumn,
    column('Desired', 'Nodes that should run the pod.', (it) => it.status?.desiredNumberScheduled ?? 0, 'integer'),
    column('Current', 'Nodes that run the pod.', (it) => it.status?.currentNumberScheduled ?? 0, 'integer'),
    column('Ready', 'Nodes whose pod is ready.', (it) => it.status?.numberReady ?? 0, 'integer'),
    column('Up-to-date', 'Nodes with the latest pod.', (it) => it.status?.updatedNumberScheduled ?? 0, 'integer'),
    column('Available', 'Nodes whose pod is available.', (it) => it.status?.numberAvailable ?? 0, 'integer'),
    column('Node Selector', 'Labels that a node must have.', (it) =>
      formatLabels(it.spec?.template?.spec?.nodeSelector),
    ),
    ageColumn,
    ...templateColumns<V1DaemonSet>((it) => it.spec?.template),
    wide('Selector', 'Label query over pods.', (it) => formatSelector(it.spec?.selector)),
  ],
});
