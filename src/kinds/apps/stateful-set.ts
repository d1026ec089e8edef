import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import { statefulsets } from '../../api/generated/resources.ts';
import type { V1PodTemplateSpec, V1StatefulSet } from '../../api/generated/types.ts';
import { dns1123Label } from '../../api/names.ts';
import { invalids, nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defaultClaimSpec } from '../core/claim-defaults.ts';
import { validateClaimSpec } from '../core/claim-validation.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { podTemplateWarnings } from '../core/pod-warnings.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { intOrPercentValue, notAbove100Percent, validateIntOrPercent } from '../int-or-percent.ts';
import { labelName } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import {
  templateColumns,
  validateCollisions,
  validateCounts,
  validateLastingTemplate,
  validateNeededSelector,
} from './workload.ts';

type StatefulSet = Loose<V1StatefulSet>;

function defaultStatefulSet(set: StatefulSet): void {
  set.spec ??= {};
  set.status ??= {};
  set.status.replicas ??= 0;
  set.status.availableReplicas ??= 0;
  const { spec } = set;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  const { updateStrategy } = spec;
  if (!updateStrategy.type) {
    updateStrategy.type = 'RollingUpdate';
    updateStrategy.rollingUpdate ??= {};
  }
  if (updateStrategy.type === 'RollingUpdate' && updateStrategy.rollingUpdate) {
    updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  if (spec.serviceName === undefined) spec.serviceName = '';
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    claim.spec ??= {};
    defaultClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  }
  defaultPodTemplate(spec.template);
}

/** The template as pods will see it: with a volume for each claim, without names that the set gives itself. */
function effectiveTemplate(set: StatefulSet): Loose<V1PodTemplateSpec> | undefined {
  const template = set.spec?.template;
  const claims = set.spec?.volumeClaimTemplates ?? [];
  if (!template?.spec) return template;
  const { subdomain: _subdomain, hostname: _hostname, ...spec } = template.spec;
  const names = new Set(claims.map((it) => it.metadata?.name ?? ''));
  const volumes = [
    ...[...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(spec.volumes ?? []).filter((it) => !names.has(it.name ?? '')),
  ];
  return { ...template, spec: claims.length > 0 ? { ...spec, volumes } : spec };
}

function validateUpdateStrategy({ spec = {} }: StatefulSet, path: string): FieldError[] {
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  if (!type) return [required(path)];
  if (type === 'OnDelete') {
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    return rollingUpdate ? [invalid(`${path}.rollingUpdate`, rollingUpdate, detail)] : [];
  }
  if (type !== 'RollingUpdate') return [invalid(path, spec.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")];
  if (!rollingUpdate) return [];
  const at = `${path}.rollingUpdate`;
  const errors = nonNegative(`${at}.partition`, rollingUpdate.partition);
  const unavailable = rollingUpdate.maxUnavailable as number | string | undefined;
  if (unavailable !== undefined) {
    errors.push(...validateIntOrPercent(unavailable, `${at}.maxUnavailable`));
    if (intOrPercentValue(unavailable) === 0) errors.push(invalid(`${at}.maxUnavailable`, unavailable, 'cannot be 0'));
    errors.push(...notAbove100Percent(unavailable, `${at}.maxUnavailable`));
  }
  return errors;
}

function validateStatefulSet(set: StatefulSet, isUpdate: boolean): FieldError[] {
  const { spec = {} } = set;
  const errors: FieldError[] = [];
  const policy = spec.podManagementPolicy;
  if (!policy) errors.push(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  errors.push(...validateUpdateStrategy(set, 'spec.updateStrategy'));
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const value = spec.persistentVolumeClaimRetentionPolicy?.[field];
    if (value !== 'Retain' && value !== 'Delete') {
      const at = `spec.persistentVolumeClaimRetentionPolicy.${field}`;
      errors.push(notSupported(at, value ?? '', ['Retain', 'Delete']));
    }
  }
  if (!isUpdate) {
    spec.volumeClaimTemplates?.forEach((claim, i) => {
      errors.push(...validateClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`));
    });
    if (spec.serviceName)
      errors.push(...invalids('spec.serviceName', spec.serviceName, dns1123Label(spec.serviceName)));
  }
  return [
    ...errors,
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...validateNeededSelector(spec.selector, 'spec.selector', 'statefulset'),
    ...validateLastingTemplate(effectiveTemplate(set), spec.selector, 'spec.template', 'StatefulSet'),
  ];
}

const mutable = [
  ...['replicas', 'template', 'updateStrategy', 'minReadySeconds', 'ordinals', 'revisionHistoryLimit'],
  'persistentVolumeClaimRetentionPolicy',
];
const withoutMutable = (spec: object = {}): object =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !mutable.includes(field)));

const { column } = columnsOf<V1StatefulSet>();

export const statefulSetKind = defineKind(statefulsets, {
  defaults: defaultStatefulSet,
  hasGeneration: true,
  onCreate(set) {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  validateName: labelName,
  validate: (set) => validateStatefulSet(set, false),
  validateUpdate: (next, old) => [
    ...validateStatefulSet(next, true),
    ...(semanticEqual(withoutMutable(next.spec), withoutMutable(old.spec))
      ? []
      : [
          forbiddenField(
            'spec',
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
          ),
        ]),
  ],
  validateStatus: ({ status = {} }, old) => [
    ...validateCounts(status, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'], 'replicas'),
    ...((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)
      ? [invalid('status.availableReplicas', status.availableReplicas, 'cannot be greater than status.readyReplicas')]
      : []),
    ...validateCollisions(status, old.status),
  ],
  warnings: (next, old) => [
    ...((next.spec?.revisionHistoryLimit ?? 0) < 0
      ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
      : []),
    ...(old && semanticEqual(next.spec?.template, old.spec?.template)
      ? []
      : podTemplateWarnings(next.spec?.template, 'spec.template')),
  ],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  columns: [
    nameColumn,
    column(
      'Ready',
      'Number of the pod with ready state',
      (it) => `${it.status?.readyReplicas ?? 0}/${it.spec?.replicas ?? 0}`,
    ),
    ageColumn,
    ...templateColumns<V1StatefulSet>((it) => it.spec?.template),
  ],
});
