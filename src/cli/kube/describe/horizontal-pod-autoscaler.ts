import type {
  V2HorizontalPodAutoscaler,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricStatus,
} from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import { moment, type Page } from './page.ts';

const unknown = '<unknown>';

interface Target {
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}

/** A metric of resource use, of pods or of one of their containers. */
function resourceRow(title: string, target: Target, current: Target | undefined): readonly [string, string, string] {
  if (target.averageValue !== undefined)
    return [`${title}:`, current ? (current.averageValue ?? '<nil>') : unknown, target.averageValue];
  const used = current?.averageUtilization;
  const wanted = target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`;
  return [
    `${title}  (as a percentage of request):`,
    used === undefined ? unknown : `${used}% (${current?.averageValue})`,
    wanted,
  ];
}

function metricRow(spec: V2MetricSpec, status: V2MetricStatus | undefined): readonly string[] {
  const { external, pods, object, resource, containerResource: inside } = spec;
  if (external) {
    const name = JSON.stringify(external.metric.name);
    const current = status?.external?.current;
    if (external.target.averageValue !== undefined)
      return [`${name} (target average value):`, current?.averageValue ?? unknown, external.target.averageValue];
    return [
      `${name} (target value):`,
      current ? (current.value ?? '<nil>') : unknown,
      external.target.value ?? '<nil>',
    ];
  }
  if (pods) {
    const name = JSON.stringify(pods.metric.name);
    return [`${name} on pods:`, status?.pods?.current.averageValue ?? unknown, pods.target.averageValue ?? '<nil>'];
  }
  if (object) {
    const title = `"${object.metric.name}" on ${object.describedObject.kind}/${object.describedObject.name}`;
    const current = status?.object?.current;
    return object.target.type === 'AverageValue'
      ? [`${title} (target average value):`, current?.averageValue ?? unknown, object.target.averageValue ?? '<nil>']
      : [`${title} (target value):`, current?.value ?? unknown, object.target.value ?? '<nil>'];
  }
  if (resource) return resourceRow(`resource ${resource.name} on pods`, resource.target, status?.resource?.current);
  if (inside) {
    const title = `resource ${inside.name} of container "${inside.container}" on pods`;
    return resourceRow(title, inside.target, status?.containerResource?.current);
  }
  return [`<unknown metric type ${JSON.stringify(spec.type)}>`];
}

function direction(page: Page, title: string, rules: V2HPAScalingRules | undefined): void {
  if (!rules) return;
  page.line(1, `${title}:`);
  if (rules.stabilizationWindowSeconds !== undefined)
    page.line(2, `Stabilization Window: ${rules.stabilizationWindowSeconds} seconds`);
  if (!rules.policies?.length) return;
  page.line(2, `Select Policy: ${rules.selectPolicy ?? 'Max'}`);
  page.line(2, 'Policies:');
  for (const { type, value, periodSeconds } of rules.policies)
    page.line(3, `- Type: ${type}`, `Value: ${value}`, `Period: ${periodSeconds} seconds`);
}

export const describeHorizontalPodAutoscaler: Describer<V2HorizontalPodAutoscaler> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  heading(page, metadata);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'CreationTimestamp:', moment(metadata.creationTimestamp));
  const { kind, name } = spec?.scaleTargetRef ?? { kind: '', name: '' };
  page.line(0, 'Reference:', `${kind}/${name}`);
  page.line(0, 'Metrics:', '( current / target )');
  (spec?.metrics ?? []).forEach((metric, i) => {
    const [title, current, target] = metricRow(metric, status?.currentMetrics?.[i]);
    if (current === undefined) page.line(1, title);
    else page.line(1, title, `${current} / ${target}`);
  });
  page.line(0, 'Min replicas:', spec?.minReplicas ?? '<unset>');
  page.line(0, 'Max replicas:', spec?.maxReplicas ?? 0);
  if (spec?.behavior) {
    page.line(0, 'Behavior:');
    direction(page, 'Scale Up', spec.behavior.scaleUp);
    direction(page, 'Scale Down', spec.behavior.scaleDown);
  }
  page.line(0, `${kind} pods:`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`);
  if (status?.conditions?.length) {
    page.line(0, 'Conditions:');
    page.line(1, 'Type', 'Status', 'Reason', 'Message');
    page.line(1, '----', '------', '------', '-------');
    for (const one of status.conditions) page.line(1, one.type, one.status, one.reason ?? '', one.message ?? '');
  }
  await ownEvents(page, object, around);
};
