import { horizontalpodautoscalersV1 } from '../../api/generated/resources.ts';
import type {
  V1HorizontalPodAutoscaler,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
} from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import { defineKind } from '../define.ts';
import { asLoose, type Loose } from '../draft.ts';
import type { Column, Draft } from '../kind.ts';
import { autoscalerColumns } from './hpa-columns.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './hpa-validation.ts';

type Older = Loose<V1HorizontalPodAutoscaler>;
type Newer = Loose<V2HorizontalPodAutoscaler>;

/** What autoscaling/v1 has no field for travels in annotations. */
const metricsKey = 'autoscaling.alpha.kubernetes.io/metrics';
const currentKey = 'autoscaling.alpha.kubernetes.io/current-metrics';
const conditionsKey = 'autoscaling.alpha.kubernetes.io/conditions';
const behaviorKey = 'autoscaling.alpha.kubernetes.io/behavior';

function parse<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    // A broken annotation counts as none, as upstream's conversion drops it.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isCpu = (it: Loose<V2MetricSpec>): boolean =>
  it.type === 'Resource' && it.resource?.name === 'cpu' && it.resource.target?.averageUtilization !== undefined;
const isCpuStatus = (it: Loose<V2MetricStatus>): boolean => it.type === 'Resource' && it.resource?.name === 'cpu';

/** An autoscaling/v2 object from its v1 form. */
export function toV2(object: Draft): Draft {
  const older = asLoose<V1HorizontalPodAutoscaler>(object);
  const {
    [metricsKey]: metrics,
    [currentKey]: current,
    [conditionsKey]: conditions,
    [behaviorKey]: behavior,
    ...annotations
  } = older.metadata?.annotations ?? {};
  const { targetCPUUtilizationPercentage: cpu, ...spec } = older.spec ?? {};
  const { currentCPUUtilizationPercentage: currentCpu, ...status } = older.status ?? {};
  const own: Loose<V2MetricSpec>[] =
    cpu === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } }];
  const all = [...(parse<Loose<V2MetricSpec>[]>(metrics) ?? []), ...own];
  const statuses = [
    ...(parse<Loose<V2MetricStatus>[]>(current) ?? []),
    ...(currentCpu === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCpu } } }]),
  ];
  const { annotations: _all, ...metadata } = older.metadata ?? {};
  const newer: Newer = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, ...(all.length > 0 && { metrics: all }), ...(behavior && { behavior: parse(behavior) ?? {} }) },
    status: {
      ...status,
      ...(statuses.length > 0 && { currentMetrics: statuses }),
      ...(conditions && { conditions: parse(conditions) ?? [] }),
    },
  } as Newer;
  return newer as unknown as Draft;
}

/** The v1 form of an autoscaling/v2 object. */
export function fromV2(object: Draft): Draft {
  const newer = asLoose<V2HorizontalPodAutoscaler>(object);
  const { metrics = [], behavior, ...spec } = newer.spec ?? {};
  const { currentMetrics = [], conditions, ...status } = newer.status ?? {};
  const cpu = metrics.find(isCpu);
  const others = metrics.filter((it) => it !== cpu);
  const cpuNow = currentMetrics.find(isCpuStatus);
  const othersNow = currentMetrics.filter((it) => it !== cpuNow);
  const annotations: Record<string, string | undefined> = { ...newer.metadata?.annotations };
  if (others.length > 0) annotations[metricsKey] = JSON.stringify(others);
  if (othersNow.length > 0) annotations[currentKey] = JSON.stringify(othersNow);
  if (conditions && conditions.length > 0) annotations[conditionsKey] = JSON.stringify(conditions);
  if (behavior) annotations[behaviorKey] = JSON.stringify(behavior);
  const target = cpu?.resource?.target?.averageUtilization;
  const now = cpuNow?.resource?.current?.averageUtilization;
  const older = {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...newer.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: {
      ...status,
      currentReplicas: status.currentReplicas ?? 0,
      desiredReplicas: status.desiredReplicas ?? 0,
      ...(now !== undefined && { currentCPUUtilizationPercentage: now }),
    },
  } as Older;
  return older as unknown as Draft;
}

const newerForm = (object: unknown): Newer => {
  const draft = object as Draft;
  return asLoose<V2HorizontalPodAutoscaler>(draft['apiVersion'] === 'autoscaling/v2' ? draft : toV2(draft));
};

const columns: readonly Column[] = autoscalerColumns.map((it) => ({
  ...it,
  cell: (object, now) => it.cell(newerForm(object) as unknown as KubeObject, now),
}));

export const horizontalPodAutoscalerV1Kind = defineKind(horizontalpodautoscalersV1, {
  storage: { version: 'v2', toStorage: toV2, fromStorage: fromV2 },
  defaults(autoscaler) {
    autoscaler.spec ??= {};
    autoscaler.status ??= {};
    autoscaler.status.currentReplicas ??= 0;
    autoscaler.status.desiredReplicas ??= 0;
    const { spec, metadata = {} } = autoscaler;
    spec.minReplicas ??= 1;
    if (metadata.annotations?.[metricsKey] === undefined) spec.targetCPUUtilizationPercentage ??= 80;
  },
  onCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  validate: (it) => validateAutoscaler(newerForm(it)),
  validateStatus: (it) => validateAutoscalerStatus(newerForm(it)),
  columns,
});
