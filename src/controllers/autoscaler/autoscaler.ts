import { horizontalpodautoscalers, pods } from '../../api/generated/resources.ts';
import type { V2HorizontalPodAutoscalerStatus, V2MetricStatus } from '../../api/generated/types.ts';
import { parseApiVersion, type Resource } from '../../api/resource.ts';
import { rfc3339 } from '../../base/clock.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { setInPlace, withoutCondition } from '../support/conditions.ts';
import { writeStatus } from '../support/status.ts';
import { decide, type Memory, noMemory, remember } from './behavior.ts';
import { type Autoscaler, compute, messageOf, type Scale, type Scene } from './metrics.ts';

/** How often each autoscaler looks (--horizontal-pod-autoscaler-sync-period). */
const syncMs = 15_000;

/** Sizes workloads by what their pods use. Upstream: pkg/controller/podautoscaler. */
export function autoscalerController(served: () => readonly Resource[]): Controller {
  const memories = new Map<string, Memory>();
  return {
    name: 'horizontal-pod-autoscaler',
    watches: [
      watched({
        resource: horizontalpodautoscalers,
        keys(hpa, { old, gone }) {
          if (gone) memories.delete(keyOf(hpa));
          return old && semanticEqual(old.spec, hpa.spec) ? [] : [keyOf(hpa)];
        },
      }),
      watched({ resource: pods, keys: () => [] }),
    ],
    access: [
      rule('autoscaling', 'horizontalpodautoscalers', read),
      rule('autoscaling', 'horizontalpodautoscalers/status', 'update'),
      rule('*', '*/scale', 'get update'),
      rule('', 'pods', 'list watch get'),
      rule('metrics.k8s.io', 'pods', 'list'),
      rule('custom.metrics.k8s.io', '*', 'get list'),
      rule('external.metrics.k8s.io', '*', 'get list'),
      ...mayRecord,
    ],
    async reconcile(key, context) {
      const hpa = context.informers.informer(horizontalpodautoscalers).get(key);
      if (!hpa || hpa.metadata.deletionTimestamp) return undefined;
      const scene = sceneOf(hpa, context);
      const status = await sync(scene, context, served(), {
        get: () => memories.get(key) ?? noMemory,
        set: (memory) => void memories.set(key, memory),
      });
      await writeStatus(context, horizontalpodautoscalers, hpa, { ...status, conditions: scene.conditions });
      return { again: syncMs } satisfies Outcome;
    },
  };
}

function sceneOf(hpa: Autoscaler, context: ControllerContext): Scene {
  const scene: Scene = {
    hpa,
    conditions: hpa.status?.conditions ?? [],
    set(type, status, reason, message) {
      scene.conditions = setInPlace(scene.conditions, {
        type,
        status: status ? 'True' : 'False',
        reason,
        message,
        lastTransitionTime: rfc3339(context.clock.now()),
      });
    },
  };
  return scene;
}

/** Looks, and scales where need be. Returns the status to write. */
async function sync(
  scene: Scene,
  context: ControllerContext,
  served: readonly Resource[],
  memory: { get(): Memory; set(memory: Memory): void },
): Promise<V2HorizontalPodAutoscalerStatus> {
  const { hpa } = scene;
  const old: V2HorizontalPodAutoscalerStatus = { desiredReplicas: 0, ...hpa.status };
  const { kind, name, apiVersion = '' } = hpa.spec.scaleTargetRef;
  const namespace = hpa.metadata.namespace ?? '';
  const { group } = parseApiVersion(apiVersion);
  const resource = served.find(
    (it) => it.kind === kind && it.group === group && it.subresources?.some((sub) => sub.name === 'scale'),
  );
  let scale: Scale;
  try {
    if (!resource) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
    scale = (await context.client.get(resource, name, { namespace, subresource: 'scale' })) as Scale;
  } catch (error) {
    const why = messageOf(error);
    context.events.event(hpa, 'Warning', 'FailedGetScale', why);
    scene.set(
      'AbleToScale',
      false,
      'FailedGetScale',
      `the HPA controller was unable to get the target's current scale: ${why}`,
    );
    return old;
  }
  scene.set('AbleToScale', true, 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
  const current = scale.spec?.replicas ?? 0;
  const now = context.clock.now();
  const min = hpa.spec.minReplicas ?? 1;
  const max = hpa.spec.maxReplicas;
  if (memory.get().recommendations.length === 0) {
    memory.set({ ...memory.get(), recommendations: [{ at: now, value: current }] });
  }
  let desired = current;
  let reason = '';
  let metrics: readonly V2MetricStatus[] = old.currentMetrics ?? [];
  if (current === 0 && min !== 0) {
    scene.set(
      'ScalingActive',
      false,
      'ScalingDisabled',
      'scaling is disabled since the replica count of the target is zero',
    );
  } else if (current > max) {
    desired = max;
    reason = 'Current number of replicas above Spec.MaxReplicas';
  } else if (current < min) {
    desired = min;
    reason = 'Current number of replicas below Spec.MinReplicas';
  } else {
    const computed = await compute(scene, context, scale, current);
    metrics = computed.statuses;
    if (computed.replicas === undefined) {
      context.events.event(hpa, 'Warning', 'FailedComputeMetricsReplicas', computed.error ?? '');
      return { ...old, currentReplicas: current, currentMetrics: metrics };
    }
    if (computed.replicas > current) reason = `${computed.metric} above target`;
    if (computed.replicas < current) reason = 'All metrics below target';
    const decision = decide({
      current,
      desired: computed.replicas,
      min,
      max,
      behavior: hpa.spec.behavior,
      memory: memory.get(),
      now,
    });
    memory.set(decision.memory);
    scene.set('AbleToScale', true, decision.able.reason, decision.able.message);
    scene.set('ScalingLimited', decision.limited.status, decision.limited.reason, decision.limited.message);
    desired = decision.replicas;
  }
  scene.conditions = withoutCondition(scene.conditions, 'ScaledToZero');
  const { lastScaleTime } = old;
  const status = (scaled: boolean): V2HorizontalPodAutoscalerStatus => ({
    observedGeneration: hpa.metadata.generation ?? 0,
    currentReplicas: current,
    desiredReplicas: desired,
    currentMetrics: metrics,
    ...(scaled ? { lastScaleTime: rfc3339(now) } : lastScaleTime && { lastScaleTime }),
  });
  if (desired === current || !resource) return status(false);
  try {
    await context.client.update(
      resource as Resource<Scale>,
      { ...scale, spec: { ...scale.spec, replicas: desired } },
      {
        subresource: 'scale',
        namespace,
      },
    );
  } catch (error) {
    const why = messageOf(error);
    const message = `New size: ${desired}; reason: ${reason}; error: ${why}`;
    context.events.event(hpa, 'Warning', 'FailedRescale', message);
    scene.set(
      'AbleToScale',
      false,
      'FailedUpdateScale',
      `the HPA controller was unable to update the target scale: ${why}`,
    );
    return { ...old, currentReplicas: current, currentMetrics: metrics };
  }
  scene.set(
    'AbleToScale',
    true,
    'SucceededRescale',
    `the HPA controller was able to update the target scale to ${desired}`,
  );
  context.events.event(hpa, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`);
  memory.set(remember(memory.get(), current, desired, now));
  return status(true);
}
