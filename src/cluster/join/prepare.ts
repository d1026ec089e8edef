import type { InformerSet } from '../../client/informer.ts';
import type { ClusterContext, ControlPlane } from '../control-plane.ts';
import { loopback } from '../identities.ts';
import type { LocalKubelets } from '../kubelet-dialer.ts';
import { ensureJoinObjects } from './join-objects.ts';
import { remoteKubelets } from './remote-kubelets.ts';

/** Makes the cluster one that other machines can join: what they read, what they may, and how their kubelets are reached. */
export async function prepareForOthers(
  { options }: ClusterContext,
  plane: ControlPlane,
  kubelets: LocalKubelets,
  informers: InformerSet,
): Promise<void> {
  const { authority, kubeletClient } = plane.pki;
  const host = plane.advertised.includes(':') ? `[${plane.advertised}]` : plane.advertised;
  await ensureJoinObjects(
    plane.clients(loopback, 'kube-apiserver'),
    options,
    `https://${host}:${plane.port}`,
    authority.certificate,
  );
  kubelets.reachOthers(remoteKubelets(informers, authority.certificate, kubeletClient));
}
