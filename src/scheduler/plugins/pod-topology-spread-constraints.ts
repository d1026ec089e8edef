import type { V1Node, V1Pod, V1TopologySpreadConstraint } from '../../api/generated/types.ts';
import {
  formatSelector,
  matchesLabels,
  type Requirement,
  requirementsOf,
  requirementsOfMap,
} from '../../api/label-selector.ts';
import { hardEffects, matchesRequiredNodeAffinity, untolerated } from '../../kinds/core/node-match.ts';
import type { CountedSelector } from '../node-info.ts';
import type { World } from '../world.ts';

export const hostname = 'kubernetes.io/hostname';

export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: CountedSelector;
  /** A nil selector matches nothing. */
  readonly matchesNothing: boolean;
  readonly minDomains: number;
  readonly honourAffinity: boolean;
  readonly honourTaints: boolean;
}

const counted = (requirements: readonly Requirement[]): CountedSelector => ({
  requirements,
  key: formatSelector(requirements),
});

/** The pod's own constraints with this action, in the order written. */
export function ownConstraints(pod: V1Pod, action: string): readonly SpreadConstraint[] {
  const out: SpreadConstraint[] = [];
  for (const it of pod.spec?.topologySpreadConstraints ?? []) {
    if (it.whenUnsatisfiable === action) out.push(constraintOf(it, pod));
  }
  return out;
}

function constraintOf(it: V1TopologySpreadConstraint, pod: V1Pod): SpreadConstraint {
  const labels = pod.metadata?.labels ?? {};
  const base = requirementsOf(it.labelSelector);
  const extra: Record<string, string> = {};
  for (const key of it.matchLabelKeys ?? []) {
    const value = labels[key];
    if (value !== undefined) extra[key] = value;
  }
  return {
    maxSkew: it.maxSkew,
    topologyKey: it.topologyKey,
    selector: counted(base ? [...requirementsOfMap(extra), ...base] : []),
    matchesNothing: base === undefined,
    minDomains: it.minDomains ?? 1,
    honourAffinity: (it.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honourTaints: (it.nodeTaintsPolicy ?? 'Ignore') === 'Honor',
  };
}

/**
 * The system's defaults for pods without constraints of their own: spread over hosts (3) and zones (5), softly, among the pods
 * of the same services and the same owner (plugins/helper/spread.go, DefaultSelector).
 */
export function systemConstraints(pod: V1Pod, world: World): readonly SpreadConstraint[] {
  const requirements = defaultSelector(pod, world);
  if (requirements.length === 0) return [];
  const selector = counted(requirements);
  const common = { selector, matchesNothing: false, minDomains: 1, honourAffinity: true, honourTaints: false };
  return [
    { ...common, maxSkew: 3, topologyKey: hostname },
    { ...common, maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone' },
  ];
}

function defaultSelector(pod: V1Pod, world: World): readonly Requirement[] {
  const namespace = pod.metadata?.namespace ?? '';
  const labels = pod.metadata?.labels ?? {};
  const merged: Record<string, string> = {};
  for (const service of world.services(namespace)) {
    const selector = service.spec?.selector;
    if (selector && Object.entries(selector).every(([key, value]) => labels[key] === value)) {
      Object.assign(merged, selector);
    }
  }
  const owner = (pod.metadata?.ownerReferences ?? []).find((it) => it.controller);
  const own = owner && world.ownerSelector(owner.apiVersion, owner.kind, namespace, owner.name);
  return [...requirementsOfMap(merged), ...(requirementsOf(own) ?? [])];
}

/** Whether the node's pods count for the constraint. */
export function includesNode(constraint: SpreadConstraint, pod: V1Pod, node: V1Node): boolean {
  if (constraint.honourAffinity && !matchesRequiredNodeAffinity(pod, node)) return false;
  return !(constraint.honourTaints && untolerated(node.spec?.taints, pod.spec?.tolerations, hardEffects));
}

export const hasAllKeys = (
  labels: Readonly<Record<string, string>>,
  constraints: readonly SpreadConstraint[],
): boolean => constraints.every((it) => labels[it.topologyKey] !== undefined);

export const selects = (constraint: SpreadConstraint, labels: Readonly<Record<string, string>>): boolean =>
  !constraint.matchesNothing && matchesLabels(constraint.selector.requirements, labels);
