import type {
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import type { Loose } from '../draft.ts';
import type { Column } from '../kind.ts';

type Target = Loose<V2MetricTarget> | undefined;
type Current = Loose<V2MetricValueStatus> | undefined;

const unknown = '<unknown>';
const valueOr = (text: string | undefined): string => text ?? unknown;

/** `10/20`, `10/20 (avg)` for metrics that are no resource. */
function raw(current: Current, target: Target): string {
  if (target?.averageValue !== undefined) return `${valueOr(current?.averageValue)}/${target.averageValue} (avg)`;
  return `${current ? (current.value ?? '0') : unknown}/${target?.value ?? '0'}`;
}

/** `cpu: 10%/80%` */
function ofResource(name: string | undefined, current: Current, target: Target): string {
  if (target?.averageValue !== undefined) {
    return `${name ?? ''}: ${current ? (current.averageValue ?? '0') : unknown}/${target.averageValue}`;
  }
  const percent = (value: number | undefined, none: string): string => (value === undefined ? none : `${value}%`);
  return `${name ?? ''}: ${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, '<auto>')}`;
}

function metricText(spec: Loose<V2MetricSpec>, status: Loose<V2MetricStatus> | undefined): string {
  switch (spec.type) {
    case 'External':
      return raw(status?.external?.current, spec.external?.target);
    case 'Pods':
      return `${status?.pods ? (status.pods.current?.averageValue ?? '0') : unknown}/${spec.pods?.target?.averageValue ?? '0'}`;
    case 'Object':
      return raw(status?.object?.current, spec.object?.target);
    case 'Resource':
      return ofResource(spec.resource?.name, status?.resource?.current, spec.resource?.target);
    case 'ContainerResource':
      return ofResource(
        spec.containerResource?.name,
        status?.containerResource?.current,
        spec.containerResource?.target,
      );
    default:
      return '<unknown type>';
  }
}

const shown = 2;

/** The TARGETS cell. */
export function targets({ spec = {}, status = {} }: Loose<V2HorizontalPodAutoscaler>): string {
  const { metrics = [] } = spec;
  if (metrics.length === 0) return '<none>';
  const list = metrics.map((it, i) => metricText(it, status.currentMetrics?.[i]));
  const head = list.slice(0, shown).join(', ');
  return list.length > shown ? `${head} + ${list.length - shown} more...` : head;
}

const { column } = columnsOf<V2HorizontalPodAutoscaler>();

export const autoscalerColumns: readonly Column[] = [
  nameColumn,
  column(
    'Reference',
    'The object whose scale is managed.',
    ({ spec = {} }) => `${spec.scaleTargetRef?.kind ?? ''}/${spec.scaleTargetRef?.name ?? ''}`,
  ),
  column('Targets', 'Current and wanted values of the metrics.', targets),
  column('MinPods', 'The lower limit of replicas.', (it) => String(it.spec?.minReplicas ?? '<unset>')),
  column('MaxPods', 'The upper limit of replicas.', (it) => it.spec?.maxReplicas ?? 0),
  column('Replicas', 'The current number of replicas.', (it) => it.status?.currentReplicas ?? 0),
  ageColumn,
];
