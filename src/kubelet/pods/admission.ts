import type { V1Node, V1Pod } from '../../api/generated/types.ts';
import { matchesRequiredNodeAffinity, tolerates } from '../../kinds/core/node-match.ts';
import { milliUnits, wholeUnits } from '../quantity.ts';
import { isStaticPod } from './observed.ts';
import { podRequests } from './resources.ts';
import { appArmorRefusal } from './security.ts';
import { forbiddenSysctl } from './sysctls.ts';

/** Why a pod may not run on this node: a reason of its status, and the text. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

const hostPorts = (pod: V1Pod): string[] =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap((container) =>
    (container.ports ?? []).flatMap((port) => {
      const number = port.hostPort ?? (pod.spec?.hostNetwork ? port.containerPort : 0);
      return number > 0 ? [`${port.protocol ?? 'TCP'}/${number}/${port.hostIP || '0.0.0.0'}`] : [];
    }),
  );

const portsClash = (a: string, b: string): boolean => {
  const [protocolA, portA, ipA] = a.split('/');
  const [protocolB, portB, ipB] = b.split('/');
  return protocolA === protocolB && portA === portB && (ipA === ipB || ipA === '0.0.0.0' || ipB === '0.0.0.0');
};

const reasonFor: Readonly<Record<string, string>> = {
  cpu: 'OutOfcpu',
  memory: 'OutOfmemory',
  'ephemeral-storage': 'OutOfephemeral-storage',
  pods: 'OutOfpods',
};

const capacityOf = (node: V1Node, name: string): number =>
  name === 'cpu' ? milliUnits(node.status?.allocatable?.['cpu']) : wholeUnits(node.status?.allocatable?.[name]);

/** A resource that the pod does not get beside the others. */
export function shortage(
  pod: V1Pod,
  node: V1Node,
  others: readonly V1Pod[],
):
  | { readonly resource: string; readonly requested: number; readonly used: number; readonly capacity: number }
  | undefined {
  const pods = capacityOf(node, 'pods');
  if (others.length + 1 > pods) return { resource: 'pods', requested: 1, used: others.length, capacity: pods };
  const used = others.map(podRequests);
  for (const [resource, requested] of Object.entries(podRequests(pod))) {
    if (requested === 0) continue;
    const known = node.status?.allocatable?.[resource] !== undefined;
    // Extended resources that the node does not know of are no business of the kubelet's.
    if (!known && resource.includes('/')) continue;
    const capacity = capacityOf(node, resource);
    const sum = used.reduce((total, it) => total + (it[resource] ?? 0), 0);
    if (requested > capacity - sum) return { resource, requested, used: sum, capacity };
  }
  return undefined;
}

/** Whether the pod may run here; undefined = yes. Upstream: pkg/kubelet/lifecycle/predicate.go. */
export function admitPod(
  pod: V1Pod,
  node: V1Node,
  others: readonly V1Pod[],
  machine: { readonly appArmor?: boolean } = {},
): Rejection | undefined {
  const sysctl = forbiddenSysctl(pod);
  if (sysctl !== undefined) return { reason: 'SysctlForbidden', message: sysctl };
  const os = node.metadata?.labels?.['kubernetes.io/os'] ?? 'linux';
  const podOs = pod.metadata?.labels?.['kubernetes.io/os'];
  if (podOs !== undefined && podOs !== os)
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  if (pod.spec?.os && pod.spec.os.name !== 'linux')
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  const short = shortage(pod, node, others);
  if (short)
    return {
      reason: reasonFor[short.resource] ?? `OutOf${short.resource}`,
      message: `Node didn't have enough resource: ${short.resource}, requested: ${short.requested}, used: ${short.used}, capacity: ${short.capacity}`,
    };
  const failed = (name: string, why: string): Rejection => ({
    reason: name,
    message: `Predicate ${name} failed: ${why}`,
  });
  if (!matchesRequiredNodeAffinity(pod, node))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (pod.spec?.nodeName && pod.spec.nodeName !== node.metadata?.name)
    return failed('NodeName', "node(s) didn't match the requested node name");
  const taken = others.flatMap(hostPorts);
  if (hostPorts(pod).some((port) => taken.some((it) => portsClash(port, it))))
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  if (!isStaticPod(pod)) {
    const untolerated = (node.spec?.taints ?? []).some(
      (taint) => taint.effect === 'NoExecute' && !(pod.spec?.tolerations ?? []).some((it) => tolerates(it, taint)),
    );
    if (untolerated) return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  }
  const appArmor = machine.appArmor === false ? appArmorRefusal(pod) : undefined;
  return appArmor === undefined ? undefined : { reason: 'AppArmor', message: `Cannot enforce AppArmor: ${appArmor}` };
}
