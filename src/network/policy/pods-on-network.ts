import type { V1EndpointSlice, V1Pod } from '../../api/generated/types.ts';

/** True for pods that have an address of their own now: ended pods' addresses may belong to others already. */
export const onPodNetwork = ({ spec, status }: V1Pod): boolean =>
  !spec?.hostNetwork && (status?.podIP ?? '') !== '' && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

/**
 * Cluster DNS as a pod, where it runs in no pod but is built in: policies everywhere name it by `k8s-app: kube-dns` of kube-system, and
 * must go on letting it through. From the slices of the kube-dns Service; pods among its endpoints are left out, as they speak for themselves.
 */
export function builtInDns(slices: readonly V1EndpointSlice[]): readonly V1Pod[] {
  return slices.flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter((it) => !it.targetRef)
      .map(({ addresses }, index): V1Pod => {
        const ports = (slice.ports ?? []).map(({ name = '', port = 53, protocol = 'TCP' }) => ({
          name,
          containerPort: port,
          protocol,
        }));
        return {
          metadata: {
            name: `${slice.metadata?.name}-${index}`,
            namespace: 'kube-system',
            labels: { 'k8s-app': 'kube-dns' },
          },
          spec: { containers: [{ name: 'coredns', ports }] },
          status: { podIP: addresses[0] ?? '', podIPs: addresses.map((ip) => ({ ip })) },
        };
      }),
  );
}
