import type { V1Container, V1Pod } from '../../api/generated/types.ts';
import { hashContainer } from './observed.ts';

/** Names that the kubelet writes on what it makes in the runtime (pkg/kubelet/types/labels.go, kuberuntime/labels.go). */
const podNameLabel = 'io.kubernetes.pod.name';
const podNamespaceLabel = 'io.kubernetes.pod.namespace';
export const podUidLabel = 'io.kubernetes.pod.uid';
export const containerNameLabel = 'io.kubernetes.container.name';
export const containerHashAnnotation = 'io.kubernetes.container.hash';
export const restartCountAnnotation = 'io.kubernetes.container.restartCount';
export const terminationPathAnnotation = 'io.kubernetes.container.terminationMessagePath';
export const terminationPolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy';
const preStopAnnotation = 'io.kubernetes.container.preStopHandler';
const portsAnnotation = 'io.kubernetes.container.ports';
const graceAnnotation = 'io.kubernetes.pod.terminationGracePeriod';

export function podLabels(pod: V1Pod): Readonly<Record<string, string>> {
  return {
    ...pod.metadata?.labels,
    [podNameLabel]: pod.metadata?.name ?? '',
    [podNamespaceLabel]: pod.metadata?.namespace ?? '',
    [podUidLabel]: pod.metadata?.uid ?? '',
  };
}

export function containerLabels(pod: V1Pod, container: V1Container): Readonly<Record<string, string>> {
  return {
    [podNameLabel]: pod.metadata?.name ?? '',
    [podNamespaceLabel]: pod.metadata?.namespace ?? '',
    [podUidLabel]: pod.metadata?.uid ?? '',
    [containerNameLabel]: container.name,
  };
}

/** What must outlive a restart of the kubelet. */
export function containerAnnotations(
  pod: V1Pod,
  container: V1Container,
  restartCount: number,
): Readonly<Record<string, string>> {
  const grace = pod.spec?.terminationGracePeriodSeconds;
  return {
    [containerHashAnnotation]: hashContainer(container),
    [restartCountAnnotation]: `${restartCount}`,
    [terminationPathAnnotation]: container.terminationMessagePath ?? '/dev/termination-log',
    [terminationPolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    ...(grace !== undefined && { [graceAnnotation]: `${grace}` }),
    ...(container.lifecycle?.preStop && { [preStopAnnotation]: JSON.stringify(container.lifecycle.preStop) }),
    ...(container.ports && { [portsAnnotation]: JSON.stringify(container.ports) }),
  };
}
