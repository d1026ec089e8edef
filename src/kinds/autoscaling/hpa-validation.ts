import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type {
  V2CrossVersionObjectReference,
  V2HorizontalPodAutoscaler,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricTarget,
} from '../../api/generated/types.ts';
import { pathSegmentName } from '../../api/names.ts';
import { tryParseQuantity } from '../../api/quantity.ts';
import { invalids, nonNegative, optionalOneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabelSelector } from '../labels.ts';

type Autoscaler = Loose<V2HorizontalPodAutoscaler>;

function validateReference(ref: Loose<V2CrossVersionObjectReference> = {}, path: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = ref[field] ?? '';
    return value === '' ? [required(`${path}.${field}`)] : invalids(`${path}.${field}`, value, pathSegmentName(value));
  });
}

const aboveZero = (path: string, amount: string | undefined): FieldError[] => {
  const quantity = tryParseQuantity(amount);
  return quantity && quantity.nano <= 0n ? [invalid(path, quantity.text, 'must be positive')] : [];
};

function validateTarget(target: Loose<V2MetricTarget> = {}, path: string): FieldError[] {
  const { type = '', averageUtilization, value, averageValue } = target;
  const types = ['AverageValue', 'Utilization', 'Value'];
  const errors: FieldError[] = [];
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'));
  else errors.push(...optionalOneOf(`${path}.type`, type, types));
  errors.push(...aboveZero(`${path}.value`, value), ...aboveZero(`${path}.averageValue`, averageValue));
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function validateResourceTarget(target: Loose<V2MetricTarget> = {}, path: string): FieldError[] {
  const errors = validateTarget(target, path);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(required(`${path}.averageUtilization`, detail));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(forbiddenField(`${path}.averageValue`, detail));
  }
  return errors;
}

function validateMetricName(metric: { name?: string; selector?: object } = {}, path: string): FieldError[] {
  const { name = '' } = metric;
  if (name === '') return [required(`${path}.name`, 'must specify a metric name')];
  return [
    ...invalids(`${path}.name`, name, pathSegmentName(name)),
    ...validateLabelSelector(metric.selector, `${path}.selector`),
  ];
}

function validateSource(metric: Loose<V2MetricSpec>, source: string, path: string): FieldError[] {
  const { object, pods, resource, containerResource, external } = metric;
  const raw = (target: Loose<V2MetricTarget> = {}): FieldError[] =>
    target.value === undefined && target.averageValue === undefined
      ? [required(`${path}.target.averageValue`, 'must set either a target value or averageValue')]
      : [];
  switch (source) {
    case 'object':
      return [
        ...validateReference(object?.describedObject, `${path}.describedObject`),
        ...validateMetricName(object?.metric, `${path}.metric`),
        ...validateTarget(object?.target, `${path}.target`),
        ...raw(object?.target),
      ];
    case 'pods':
      return [
        ...validateMetricName(pods?.metric, `${path}.metric`),
        ...validateTarget(pods?.target, `${path}.target`),
        ...(pods?.target?.averageValue === undefined
          ? [required(`${path}.target.averageValue`, 'must specify a positive target averageValue')]
          : []),
      ];
    case 'external':
      return [
        ...validateMetricName(external?.metric, `${path}.metric`),
        ...validateTarget(external?.target, `${path}.target`),
        ...raw(external?.target),
      ];
    case 'resource':
      return [
        ...(resource?.name ? [] : [required(`${path}.name`, 'must specify a resource name')]),
        ...validateResourceTarget(resource?.target, `${path}.target`),
      ];
    default:
      return [
        ...(containerResource?.name ? [] : [required(`${path}.name`, 'must specify a resource name')]),
        ...(containerResource?.container ? [] : [required(`${path}.container`, 'must specify a container')]),
        ...validateResourceTarget(containerResource?.target, `${path}.target`),
      ];
  }
}

const sources: Readonly<Record<string, 'object' | 'pods' | 'resource' | 'external' | 'containerResource'>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function validateMetric(metric: Loose<V2MetricSpec>, path: string): FieldError[] {
  const { type = '' } = metric;
  const errors: FieldError[] = [];
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric source type'));
  const expected = sources[type];
  if (!expected) errors.push(notSupported(`${path}.type`, type, Object.keys(sources)));
  const order = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
  const present = order.filter((it) => metric[it] !== undefined);
  const first = present[0];
  if (first) errors.push(...validateSource(metric, first, `${path}.${first}`));
  if (expected && metric[expected] === undefined) {
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'));
  }
  if (present.length !== 1) {
    for (const it of present) {
      if (it !== expected) {
        errors.push(forbiddenField(`${path}.${it}`, 'must populate the given metric source only'));
      }
    }
  }
  return errors;
}

function validateRules(rules: Loose<V2HPAScalingRules> | undefined, path: string): FieldError[] {
  if (!rules) return [];
  const errors: FieldError[] = [];
  const window = rules.stabilizationWindowSeconds;
  const at = `${path}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) errors.push(invalid(at, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > 3600) errors.push(invalid(at, window, 'must be less than or equal to 3600'));
  errors.push(...optionalOneOf(`${path}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min']));
  const policies = rules.policies ?? [];
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'));
  policies.forEach(({ type = '', value = 0, periodSeconds = 0 }, i) => {
    const where = `${path}.policies[${i}]`;
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${where}.type`, type, ['Percent', 'Pods']));
    if (value <= 0) errors.push(invalid(`${where}.value`, value, 'must be greater than zero'));
    if (periodSeconds <= 0) errors.push(invalid(`${where}.periodSeconds`, periodSeconds, 'must be greater than zero'));
    if (periodSeconds > 1800) {
      errors.push(invalid(`${where}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800'));
    }
  });
  return errors;
}

/** An autoscaler in autoscaling/v2 (validateHorizontalPodAutoscalerSpec). */
export function validateAutoscaler({ spec = {} }: Autoscaler): FieldError[] {
  const { minReplicas, maxReplicas = 0, metrics = [], behavior } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (maxReplicas === 0) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (maxReplicas < 0) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  errors.push(...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef'));
  metrics.forEach((metric, i) => {
    errors.push(...validateMetric(metric, `spec.metrics[${i}]`));
  });
  if (minReplicas === 0 && !metrics.some((it) => it.type === 'Object' || it.type === 'External')) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbiddenField('spec.metrics', detail));
  }
  return [
    ...errors,
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
}

export const validateAutoscalerStatus = ({ status = {} }: Autoscaler): FieldError[] => [
  ...nonNegative('status.currentReplicas', status.currentReplicas),
  ...nonNegative('status.desiredReplicas', status.desiredReplicas),
];
