import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from '../../api/generated/types.ts';

/** A recommendation or a change of size, at a time (epoch milliseconds). */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** What an autoscaler remembers of the past. Bounded: samples older than every window are forgotten. */
export interface Memory {
  readonly recommendations: readonly Sample[];
  readonly ups: readonly Sample[];
  readonly downs: readonly Sample[];
}

export const noMemory: Memory = { recommendations: [], ups: [], downs: [] };

/** The rules where the user has none (autoscaling/v2 defaults). */
const defaultUp: V2HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const defaultDown: V2HPAScalingRules = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

export interface Decision {
  readonly replicas: number;
  readonly able: { readonly reason: string; readonly message: string };
  readonly limited: { readonly status: boolean; readonly reason: string; readonly message: string };
  readonly memory: Memory;
}

const longest = 3600_000;
const recent = (samples: readonly Sample[], now: number): readonly Sample[] =>
  samples.filter((it) => it.at > now - longest);

/** Bends a recommendation to the autoscaler's behaviour: stabilization windows first, then rates, then the bounds. Pure. */
export function decide(it: {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly behavior: V2HorizontalPodAutoscalerBehavior | undefined;
  readonly memory: Memory;
  readonly now: number;
}): Decision {
  const { current, desired, now } = it;
  const up = { ...defaultUp, ...it.behavior?.scaleUp };
  const down = { ...defaultDown, ...it.behavior?.scaleDown };
  const window = (rules: V2HPAScalingRules): readonly number[] =>
    it.memory.recommendations
      .filter((sample) => sample.at > now - (rules.stabilizationWindowSeconds ?? 0) * 1000)
      .map((sample) => sample.value);
  const lowest = Math.min(desired, ...window(up));
  const highest = Math.max(desired, ...window(down));
  const stable = Math.min(Math.max(current, lowest), highest);
  const able =
    stable === desired
      ? { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
      : desired >= current
        ? {
            reason: 'ScaleUpStabilized',
            message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
          }
        : {
            reason: 'ScaleDownStabilized',
            message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
          };
  const memory: Memory = {
    recommendations: [...recent(it.memory.recommendations, now), { at: now, value: desired }],
    ups: recent(it.memory.ups, now),
    downs: recent(it.memory.downs, now),
  };
  const limited = limit({ ...it, desired: stable, up, down });
  return {
    replicas: limited.replicas,
    able,
    limited: { status: limited.replicas !== stable, reason: limited.reason, message: limited.message },
    memory,
  };
}

interface Limits {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly memory: Memory;
  readonly now: number;
  readonly up: V2HPAScalingRules;
  readonly down: V2HPAScalingRules;
}

function limit(it: Limits): { readonly replicas: number; readonly reason: string; readonly message: string } {
  const { current, desired } = it;
  if (desired > current) {
    const rate = Math.max(current, rateLimit(it, it.up, 1));
    const cap = Math.min(it.max, rate);
    if (desired > cap) {
      return it.max > rate
        ? {
            replicas: cap,
            reason: 'ScaleUpLimit',
            message: 'the desired replica count is increasing faster than the maximum scale rate',
          }
        : {
            replicas: cap,
            reason: 'TooManyReplicas',
            message: 'the desired replica count is more than the maximum replica count',
          };
    }
  } else if (desired < current) {
    const rate = Math.min(current, rateLimit(it, it.down, -1));
    const floor = Math.max(it.min, rate);
    if (desired < floor) {
      return it.min < rate
        ? {
            replicas: floor,
            reason: 'ScaleDownLimit',
            message: 'the desired replica count is decreasing faster than the maximum scale rate',
          }
        : {
            replicas: floor,
            reason: 'TooFewReplicas',
            message: 'the desired replica count is less than the minimum replica count',
          };
    }
  }
  return {
    replicas: desired,
    reason: 'DesiredWithinRange',
    message: 'the desired count is within the acceptable range',
  };
}

/** The farthest size that the policies of one direction allow now. */
function rateLimit({ current, memory, now }: Limits, rules: V2HPAScalingRules, direction: 1 | -1): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const changed = (samples: readonly Sample[], seconds: number): number =>
    samples.filter((it) => it.at > now - seconds * 1000).reduce((sum, it) => sum + it.value, 0);
  const reach = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - changed(memory.ups, periodSeconds) + changed(memory.downs, periodSeconds);
    if (type === 'Pods') return start + direction * value;
    const exact = start * (1 + (direction * value) / 100);
    return direction > 0 ? Math.ceil(exact) : Math.trunc(exact);
  });
  const farthest = rules.selectPolicy !== 'Min';
  return farthest === direction > 0 ? Math.max(...reach) : Math.min(...reach);
}

/** The memory after a change of size. */
export const remember = (memory: Memory, from: number, to: number, now: number): Memory =>
  to > from
    ? { ...memory, ups: [...memory.ups, { at: now, value: to - from }] }
    : { ...memory, downs: [...memory.downs, { at: now, value: from - to }] };
