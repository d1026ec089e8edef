import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { InformerSet } from '../client/informer.ts';
import { createInformers } from '../client/informers.ts';
import { createRecorder } from '../client/recorder.ts';
import { startKubelet } from '../kubelet/kubelet.ts';
import { delegatedAuth } from '../kubelet/server/delegated-auth.ts';
import { listenSecurely } from '../kubelet/server/secure-listener.ts';
import { containerdPaths } from '../runtime/cri/containerd-config.ts';
import { containerdNode } from '../runtime/cri/containerd-node.ts';
import type { ContainerdParts } from '../runtime/cri/detect-containerd.ts';
import { innerAddress } from './advertise.ts';
import { dnsServiceAddress } from './bootstrap-objects.ts';
import { startClusterDns } from './cluster-dns.ts';
import type { ClusterContext, ControlPlane } from './control-plane.ts';
import { nodeUser } from './identities.ts';
import type { LocalKubelets } from './kubelet-dialer.ts';
import { startNodeNetwork } from './node-network.ts';
import { holdInnerAddress, releaseInnerAddress } from './real-network.ts';

/** The control group of the pods of a cluster on `dataDir`: its own, so that no other kubelet of the machine minds. */
export const nodeCgroup = (dataDir: string): string =>
  `/coracle-${createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 8)}`;

/** Where every kubelet listens unless told otherwise. */
const kubeletPort = 10_250;

/** The socket of the containerd that a cluster on `dataDir` runs. */
export const containerdSocket = (dataDir: string): string =>
  containerdPaths(join(dataDir, 'node', 'containerd')).socket;

/** Makes this machine the cluster's node: containerd, a kubelet, the pod network. Resolves when the kubelet has registered it. */
export async function startRealNode(
  context: ClusterContext,
  plane: ControlPlane,
  kubelets: LocalKubelets,
  parts: ContainerdParts,
  shared: InformerSet,
): Promise<void> {
  const { options, clock, random, log, spans, lifetime } = context;
  const dir = join(options.dataDir, 'node');
  const runtime = await containerdNode({ dir: join(dir, 'containerd'), parts, clock, signal: lifetime.signal });
  lifetime.defer(() => runtime.close());
  await holdInnerAddress();
  lifetime.defer(releaseInnerAddress);
  if (plane.advertised === innerAddress) await plane.listenAlso(innerAddress);

  const { hostname: nodeName, address } = await runtime.machine();
  const client = plane.clients(nodeUser(nodeName), 'kubelet');
  const serving = await plane.pki.kubeletServing(nodeName, [address]);
  const secure = await listenSecurely({
    key: serving.key,
    certificate: serving.certificate,
    clientAuthority: plane.pki.authority.certificate,
    address,
    port: kubeletPort,
  });
  lifetime.defer(() => secure.close());
  const staticPodDir = join(dir, 'manifests');
  await mkdir(staticPodDir, { recursive: true, mode: 0o755 });
  const informers = createInformers({ client, clock, log, signal: lifetime.signal });
  const kubelet = await startKubelet({
    nodeName,
    runtime,
    client,
    informers,
    events: createRecorder({
      client,
      component: 'kubelet',
      host: nodeName,
      clock,
      random,
      log,
      signal: lifetime.signal,
    }),
    clock,
    random,
    log,
    spans,
    clusterDns: [dnsServiceAddress(options.serviceCidr)],
    clusterDomain: options.clusterDomain,
    rootDir: join(dir, 'kubelet'),
    podLogsDir: join(dir, 'logs'),
    staticPodDir,
    cgroupRoot: nodeCgroup(options.dataDir),
    port: secure.port,
    auth: delegatedAuth({ client, nodeName, clock }),
    lifetime,
  });
  secure.serve(kubelet.server);
  kubelets.add(nodeName, kubelet.server);
  lifetime.defer(() => kubelets.remove(nodeName));

  await startNodeNetwork({
    nodeName,
    informers: shared,
    clusterCidrs: [options.clusterCidr],
    cniDirectory: containerdPaths(join(dir, 'containerd')).cni,
    dataDir: dir,
    clock,
    log,
    lifetime,
  });
  await startClusterDns(context, plane, shared, innerAddress);
}
