import type { V1Pod } from '../api/generated/types.ts';
import { type AffinityTerm, preferredTerms, requiredTerms } from './affinity-terms.ts';
import { type Amounts, podRequests } from './resources.ts';

export interface HostPort {
  /** `0.0.0.0` stands for all addresses. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod with everything that scheduling asks of it computed once. Of the shared frozen object, never a copy. */
export interface PodInfo {
  readonly pod: V1Pod;
  readonly uid: string;
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly terminating: boolean;
  readonly requests: Amounts;
  /** For comparing nodes: containers that ask for nothing count with defaults. */
  readonly nonZeroCpu: number;
  readonly nonZeroMemory: number;
  readonly hostPorts: readonly HostPort[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
  readonly hasAffinity: boolean;
}

const none: readonly never[] = Object.freeze([]);
const known = new WeakMap<V1Pod, PodInfo>();

/** The pod's `PodInfo`; the same object gives the same answer without computing again. */
export function podInfoOf(pod: V1Pod): PodInfo {
  const seen = known.get(pod);
  if (seen) return seen;
  const affinity = pod.spec?.affinity?.podAffinity;
  const anti = pod.spec?.affinity?.podAntiAffinity;
  const nonZero = podRequests(pod, true);
  const requiredAffinity = affinity
    ? requiredTerms(pod, affinity.requiredDuringSchedulingIgnoredDuringExecution)
    : none;
  const requiredAntiAffinity = anti ? requiredTerms(pod, anti.requiredDuringSchedulingIgnoredDuringExecution) : none;
  const preferredAffinity = affinity
    ? preferredTerms(pod, affinity.preferredDuringSchedulingIgnoredDuringExecution)
    : none;
  const preferredAntiAffinity = anti ? preferredTerms(pod, anti.preferredDuringSchedulingIgnoredDuringExecution) : none;
  const info: PodInfo = {
    pod,
    uid: pod.metadata?.uid ?? '',
    key: `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`,
    namespace: pod.metadata?.namespace ?? '',
    labels: pod.metadata?.labels ?? {},
    priority: pod.spec?.priority ?? 0,
    terminating: pod.metadata?.deletionTimestamp !== undefined,
    requests: podRequests(pod),
    nonZeroCpu: nonZero.milliCpu,
    nonZeroMemory: nonZero.memory,
    hostPorts: hostPortsOf(pod),
    requiredAffinity,
    requiredAntiAffinity,
    preferredAffinity,
    preferredAntiAffinity,
    hasAffinity:
      requiredAffinity.length + requiredAntiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length >
      0,
  };
  known.set(pod, info);
  return info;
}

function hostPortsOf(pod: V1Pod): readonly HostPort[] {
  let out: HostPort[] | undefined;
  const sidecars = (pod.spec?.initContainers ?? []).filter((it) => it.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const port of container.ports ?? []) {
      if (!port.hostPort) continue;
      out ??= [];
      out.push({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort });
    }
  }
  return out ?? none;
}

/** True where two host ports cannot live on one node. */
export const portsConflict = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0');
