import { pods } from '../../api/generated/resources.ts';
import type {
  V1Pod,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerCondition,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
} from '../../api/generated/types.ts';
import { matchesLabels, parseLabelSelector } from '../../api/label-selector.ts';
import { formatQuantity, milliValueOf, parseQuantity, quantityNumber, quantityOfMilli } from '../../api/quantity.ts';
import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { type PodUsage, type Proposal, proposeReplicas } from './replicas.ts';

export type Autoscaler = Live<V2HorizontalPodAutoscaler>;

/** The tolerance where an autoscaler names none (--horizontal-pod-autoscaler-tolerance). */
const defaultTolerance = 0.1;

/** autoscaling/v1 Scale. */
export interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number; readonly selector?: string };
}

interface PodMetrics extends KubeObject {
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[];
}

/** Answered by a metrics server, where one is installed. */
const podMetrics: Resource<PodMetrics> = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  plural: 'pods',
  singular: 'pod',
  kind: 'PodMetrics',
  namespaced: true,
  verbs: ['get', 'list'],
};

/** One reconcile: conditions are gathered as it goes and written at its end. */
export interface Scene {
  readonly hpa: Autoscaler;
  conditions: readonly V2HorizontalPodAutoscalerCondition[];
  readonly set: (type: string, status: boolean, reason: string, message: string) => void;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Computed {
  readonly replicas?: number;
  readonly metric?: string;
  readonly statuses: readonly V2MetricStatus[];
  readonly error?: string;
}

/** The highest proposal of all metrics; none where all fail, or where some fail and the rest would shrink the target. */
export async function compute(
  scene: Scene,
  context: ControllerContext,
  scale: Scale,
  current: number,
): Promise<Computed> {
  const specs = scene.hpa.spec.metrics ?? [];
  const selector = scale.status?.selector ?? '';
  if (selector === '') {
    const message = 'selector is required';
    context.events.event(scene.hpa, 'Warning', 'SelectorRequired', message);
    scene.set('ScalingActive', false, 'InvalidSelector', "the HPA target's scale is missing a selector");
    return { statuses: [], error: message };
  }
  const requirements = parseLabelSelector(selector);
  const selected = context.informers
    .informer(pods)
    .byIndex('namespace', scene.hpa.metadata.namespace ?? '')
    .filter((pod) => matchesLabels(requirements, pod.metadata.labels));
  const statuses: V2MetricStatus[] = [];
  let best: { replicas: number; metric: string } | undefined;
  let invalid = 0;
  let first: { reason: string; why: string; error: string } | undefined;
  for (const spec of specs) {
    try {
      const found = await evaluate(scene, context, spec, selected, selector, current);
      statuses.push(found.status);
      if (!best || found.replicas > best.replicas) best = found;
    } catch (error) {
      const reason = failureReason[spec.type] ?? 'InvalidMetricSourceType';
      const why = messageOf(error);
      context.events.event(scene.hpa, 'Warning', reason, why);
      first ??= { reason, why, error: `failed to get ${labelOf(spec)}: ${why}` };
      invalid++;
    }
  }
  const error = first && `invalid metrics (${invalid} invalid out of ${specs.length}), first error is: ${first.error}`;
  if (first && (!best || best.replicas < current)) {
    scene.set('ScalingActive', false, first.reason, `the HPA was unable to compute the replica count: ${first.why}`);
    return { statuses, error: error ?? '' };
  }
  if (!best) return { statuses, error: 'no metrics are named' };
  const message = `the HPA was able to successfully calculate a replica count from ${best.metric}`;
  scene.set('ScalingActive', true, 'ValidMetricFound', message);
  return { ...best, statuses };
}

const failureReason: Readonly<Record<string, string>> = {
  Resource: 'FailedGetResourceMetric',
  ContainerResource: 'FailedGetContainerResourceMetric',
  Pods: 'FailedGetPodsMetric',
  Object: 'FailedGetObjectMetric',
  External: 'FailedGetExternalMetric',
};

function labelOf(spec: V2MetricSpec): string {
  switch (spec.type) {
    case 'Resource':
      return `${spec.resource?.name} resource metric value`;
    case 'ContainerResource':
      return `${spec.containerResource?.container} container metric value`;
    case 'Pods':
      return 'pods metric value';
    case 'Object':
      return 'object metric value';
    default:
      return `${spec.external?.metric.name} external metric value`;
  }
}

async function evaluate(
  scene: Scene,
  context: ControllerContext,
  spec: V2MetricSpec,
  selected: readonly Live<V1Pod>[],
  selector: string,
  current: number,
): Promise<{ replicas: number; metric: string; status: V2MetricStatus }> {
  const source = spec.resource ?? spec.containerResource;
  if (!source) throw new Error(noCustomMetrics(spec, scene.hpa.metadata.namespace ?? ''));
  const { name, target } = source;
  const container = spec.containerResource?.container;
  const proposal = await propose(scene, context, { name, target, selected, selector, current, container });
  const byUtilization = target.averageValue === undefined;
  const milli = quantityOfMilli(proposal.average, name === 'memory' ? 'BinarySI' : 'DecimalSI');
  const value = {
    ...(byUtilization && proposal.utilization !== undefined && { averageUtilization: proposal.utilization }),
    averageValue: formatQuantity(milli),
  };
  const kind = container === undefined ? 'resource' : 'container resource';
  return {
    replicas: proposal.replicas,
    metric: byUtilization ? `${name} ${kind} utilization (percentage of request)` : `${name} ${kind}`,
    status:
      container === undefined
        ? { type: 'Resource', resource: { name, current: value } }
        : { type: 'ContainerResource', containerResource: { name, container, current: value } },
  };
}

function noCustomMetrics(spec: V2MetricSpec, namespace: string): string {
  if (spec.external) {
    return `unable to get external metric ${namespace}/${spec.external.metric.name}/nil: unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered`;
  }
  const name = spec.pods?.metric.name ?? spec.object?.metric.name ?? '';
  return `unable to get metric ${name}: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered`;
}

async function propose(
  scene: Scene,
  context: ControllerContext,
  it: {
    readonly name: string;
    readonly target: V2MetricTarget;
    readonly selected: readonly Live<V1Pod>[];
    readonly selector: string;
    readonly current: number;
    readonly container: string | undefined;
  },
): Promise<Proposal> {
  const { name, target } = it;
  const { behavior } = scene.hpa.spec;
  const tolerance = (text: string | undefined): number =>
    text === undefined ? defaultTolerance : quantityNumber(parseQuantity(text));
  const kind = target.averageValue === undefined ? 'utilization' : 'usage';
  if (target.averageValue === undefined && target.averageUtilization === undefined) {
    throw new Error(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    );
  }
  try {
    const usage = await usageOf(context, name, scene.hpa.metadata.namespace ?? '', it.selector, it.container);
    return proposeReplicas({
      current: it.current,
      pods: it.selected,
      usage,
      resource: name,
      ...(it.container !== undefined && { container: it.container }),
      target:
        target.averageValue === undefined
          ? { utilization: target.averageUtilization ?? 0 }
          : { averageMilli: milliValueOf(target.averageValue) },
      tolerances: { up: tolerance(behavior?.scaleUp?.tolerance), down: tolerance(behavior?.scaleDown?.tolerance) },
      now: context.clock.now(),
    });
  } catch (error) {
    throw new Error(`failed to get ${name} ${kind}: ${messageOf(error)}`);
  }
}

/** What the metrics API says the pods use. */
async function usageOf(
  context: ControllerContext,
  resource: string,
  namespace: string,
  labelSelector: string,
  container: string | undefined,
): Promise<ReadonlyMap<string, PodUsage>> {
  const fail = (why: string): Error => new Error(`unable to get metrics for resource ${resource}: ${why}`);
  let items: readonly PodMetrics[];
  try {
    items = (await context.client.list(podMetrics, { namespace, labelSelector })).items;
  } catch (error) {
    const why = messageOf(error);
    const shown = why === 'the server could not find the requested resource' ? `${why} (get pods.metrics.k8s.io)` : why;
    throw fail(`unable to fetch metrics from resource metrics API: ${shown}`);
  }
  if (items.length === 0) throw fail('no metrics returned from resource metrics API');
  const usage = new Map<string, PodUsage>();
  for (const item of items) {
    const parts = (item.containers ?? []).filter((it) => container === undefined || it.name === container);
    if (parts.length === 0 || parts.some((it) => it.usage[resource] === undefined)) continue;
    const seconds = /^(?:(\d+)m)?(\d+(?:\.\d+)?)s$/.exec(item.window ?? '');
    usage.set(item.metadata?.name ?? '', {
      milli: parts.reduce((sum, it) => sum + milliValueOf(it.usage[resource]), 0),
      at: Date.parse(item.timestamp ?? '') || 0,
      window: (Number(seconds?.[1] ?? 0) * 60 + Number(seconds?.[2] ?? 0)) * 1000,
    });
  }
  return usage;
}
