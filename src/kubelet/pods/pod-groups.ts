import type { V1Pod } from '../../api/generated/types.ts';
import type { KubeletContext } from '../context.ts';
import { cpuShares, podCgroup, podResources, qosCgroup } from './resources.ts';

/**
 * Makes the pod's control group, inside the one of its QoS class, and holds both to what is asked of them: best-effort pods share what the
 * others leave, burstable ones have the sum of their requests. Upstream: pkg/kubelet/cm (qos_container_manager, pod_container_manager).
 */
export async function ensurePodGroup(context: KubeletContext, pod: V1Pod): Promise<void> {
  const { cgroups } = context.node;
  if (!cgroups) return;
  const root = context.cgroupRoot;
  const all = cpuShares(context.machine.cpus * 1000);
  if (root !== '') await cgroups.ensure(root, { cpuShares: all });
  await cgroups.ensure(qosCgroup(root, 'Guaranteed'), { cpuShares: all });
  await cgroups.ensure(qosCgroup(root, 'Burstable'), { cpuShares: cpuShares(context.burstableCpu()) });
  await cgroups.ensure(qosCgroup(root, 'BestEffort'), { cpuShares: 2 });
  await cgroups.ensure(podCgroup(root, pod), podResources(pod));
}

/** Takes the pod's group away once nothing of the pod runs. */
export async function removePodGroup(context: KubeletContext, pod: V1Pod): Promise<void> {
  await context.node.cgroups?.remove(podCgroup(context.cgroupRoot, pod));
}
