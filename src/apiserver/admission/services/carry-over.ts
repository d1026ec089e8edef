import type { V1Service, V1ServiceSpec } from '../../../api/generated/types.ts';
import type { Loose } from '../../../kinds/draft.ts';

/** Facts about a Service that its type decides (pkg/registry/core/service/storage/storage.go). */
type Spec = Loose<V1ServiceSpec> | V1ServiceSpec | undefined;

export const needsAddress = (spec: Spec): boolean => spec?.type !== 'ExternalName';
export const needsNodePort = (spec: Spec): boolean =>
  spec?.type === 'NodePort' || (spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
export const needsHealthPort = (spec: Spec): boolean =>
  spec?.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
const external = (spec: Spec): boolean =>
  spec?.type === 'NodePort' || spec?.type === 'LoadBalancer' || (spec?.externalIPs ?? []).length > 0;

export const sameList = (a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean =>
  (a ?? []).length === (b ?? []).length && (a ?? []).every((item, index) => item === b?.[index]);

const nodePortsOf = (spec: Spec): number[] => (spec?.ports ?? []).map((port) => port.nodePort ?? 0);

/** Keeps clusterIP and clusterIPs in step when a client set only one of them. */
export function normalizeAddresses(next: Loose<V1ServiceSpec>, old: V1ServiceSpec | undefined): void {
  const plural = next.clusterIPs ?? [];
  if (!old) {
    if (next.clusterIP && plural.length === 0) next.clusterIPs = [next.clusterIP];
    return;
  }
  if ((old.clusterIPs ?? []).length > 0 && plural.length === 0 && old.clusterIP === next.clusterIP) {
    next.clusterIPs = [...(old.clusterIPs ?? [])];
  }
  if ((old.clusterIP ?? '') === (next.clusterIP ?? '') || !sameList(old.clusterIPs, next.clusterIPs)) return;
  if (old.clusterIP && !next.clusterIP) delete next.clusterIPs;
  else next.clusterIPs = [next.clusterIP ?? ''];
}

/** Clears what an earlier type needed, the new one does not, and the client did not touch. */
export function dropTypeDependent(next: Loose<V1ServiceSpec>, old: V1ServiceSpec): void {
  if (needsAddress(old) && !needsAddress(next)) {
    if (sameList(old.clusterIPs, next.clusterIPs)) {
      delete next.clusterIP;
      delete next.clusterIPs;
    }
    if (sameList(old.ipFamilies, next.ipFamilies)) delete next.ipFamilies;
    if (old.ipFamilyPolicy === next.ipFamilyPolicy) delete next.ipFamilyPolicy;
  }
  if (needsNodePort(old) && !needsNodePort(next) && sameList(nodePortsOf(old), nodePortsOf(next))) {
    for (const port of next.ports ?? []) delete port.nodePort;
  }
  if (needsHealthPort(old) && !needsHealthPort(next) && old.healthCheckNodePort === next.healthCheckNodePort) {
    delete next.healthCheckNodePort;
  }
  if (old.type === 'LoadBalancer' && next.type !== 'LoadBalancer') {
    if (old.allocateLoadBalancerNodePorts === next.allocateLoadBalancerNodePorts) {
      delete next.allocateLoadBalancerNodePorts;
    }
    if (old.loadBalancerClass === next.loadBalancerClass) delete next.loadBalancerClass;
  }
  if (external(old) && !external(next) && old.externalTrafficPolicy === next.externalTrafficPolicy) {
    delete next.externalTrafficPolicy;
  }
}

/** Puts back what the server had allocated and a client that sends its old file leaves out. */
export function patchAllocated(next: Loose<V1ServiceSpec>, old: V1ServiceSpec): void {
  if (needsAddress(old) && needsAddress(next)) {
    if (!next.clusterIP && old.clusterIP) next.clusterIP = old.clusterIP;
    if ((next.clusterIPs ?? []).length === 0 && (old.clusterIPs ?? []).length > 0) {
      next.clusterIPs = [...(old.clusterIPs ?? [])];
    }
  }
  if (needsNodePort(old) && needsNodePort(next)) {
    const before = new Set(nodePortsOf(old));
    const used = new Set(nodePortsOf(next).filter((port) => port !== 0 && before.has(port)));
    const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort ?? 0]));
    for (const port of next.ports ?? []) {
      const known = byName.get(port.name ?? '');
      if (!port.nodePort && known && !used.has(known)) port.nodePort = known;
    }
  }
  if (needsHealthPort(old) && needsHealthPort(next) && !next.healthCheckNodePort && old.healthCheckNodePort) {
    next.healthCheckNodePort = old.healthCheckNodePort;
  }
}

/** Brings an update's spec into the shape from which addresses and ports can be allocated. */
export function carryOver(next: Loose<V1ServiceSpec>, old: V1Service['spec']): void {
  if (old) {
    patchAllocated(next, old);
    dropTypeDependent(next, old);
  }
  normalizeAddresses(next, old);
}
