import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodes } from '../../api/generated/resources.ts';
import type { V1Node } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { InformerSet } from '../../client/informer.ts';
import { createRecorder } from '../../client/recorder.ts';
import { startKubelet } from '../../kubelet/kubelet.ts';
import { objectCache } from '../../kubelet/object-cache.ts';
import { sharedNodeSource, sharedPodSource } from '../../kubelet/pod-source.ts';
import { createSimNode, type SimNode } from '../../runtime/sim/sim-node.ts';
import { addressIn, dnsServiceAddress } from '../bootstrap-objects.ts';
import type { ClusterContext, ControlPlane } from '../control-plane.ts';
import { loopback, nodeUser } from '../identities.ts';
import type { LocalKubelets } from '../kubelet-dialer.ts';
import { outsideNameServer } from './sim-dns.ts';
import type { SimWorld } from './sim-world.ts';

/** One simulated node and its kubelet. */
export interface SimMember {
  readonly name: string;
  readonly node: SimNode;
  /** Whether its kubelet works. */
  readonly running: boolean;
  startKubelet(): Promise<void>;
  stopKubelet(): Promise<void>;
}

/** Where the nodes' own addresses come from; it overlaps with neither pods nor Services. */
const nodeCidr = '172.18.0.0/16';
/** Nodes that register at a time. */
const atOnce = 32;
/** How long nodes may take to become Ready: milliseconds, and as many more for each. */
const readyTimeout = 120_000;
const readyTimeoutEach = 1000;

/** `node-1`, `node-2`, …: the same names each time a cluster starts. */
export const simNodeNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `node-${index + 1}`);

const isUsable = (node: Live<V1Node>): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true &&
  !(node.spec?.taints ?? []).some(({ key }) => key.startsWith('node.kubernetes.io/'));

/** Starts `count` simulated nodes with a kubelet each. Resolves when all of them are Ready. */
export async function startSimNodes(
  context: ClusterContext,
  plane: ControlPlane,
  kubelets: LocalKubelets,
  informers: InformerSet,
  world: SimWorld,
): Promise<readonly SimMember[]> {
  const { options, clock, random, log, spans, lifetime } = context;
  const names = options.nodeNames ?? simNodeNames(options.nodes);
  const shared = {
    podSource: sharedPodSource(informers),
    nodeSource: sharedNodeSource(informers),
    // One watch of each ConfigMap and Secret for all nodes: what a kubelet may see was decided when its pod was bound to it.
    objects: objectCache({ client: plane.clients(loopback, 'kubelet'), clock, log }),
  };
  lifetime.defer(() => shared.objects.stop());

  const disks = diskFiles(join(options.dataDir, 'sim'));
  const known = informers.informer(nodes);
  await known.whenSynced();

  const member = (name: string, index: number): SimMember => {
    const address = addressIn(nodeCidr, index + 2);
    world.nodeIps.add(address);
    const node = createSimNode({
      name,
      address,
      clock,
      random,
      network: world.network,
      registry: world.registry,
      machine: { cpus: options.simulated.cpus, memoryBytes: options.simulated.memoryBytes },
      nameservers: [outsideNameServer],
      ...disks.read(name),
    });
    lifetime.defer(async () => {
      await node.close();
      disks.write(name, node.savedDisk());
    });
    const client = plane.clients(nodeUser(name), 'kubelet');
    let own: Lifetime | undefined;
    return {
      name,
      node,
      get running() {
        return own !== undefined;
      },
      async startKubelet() {
        if (own) return;
        own = lifetime.child();
        const { signal } = own;
        // A node that had its range keeps it, as the network configuration on a real one's disk does.
        await node.runtime.updateRuntimeConfig(known.get(name)?.spec?.podCIDR ?? '');
        const kubelet = await startKubelet({
          ...shared,
          nodeName: name,
          runtime: node,
          client,
          informers,
          events: createRecorder({ client, component: 'kubelet', host: name, clock, random, log, signal }),
          clock,
          random,
          log,
          spans,
          clusterDns: [dnsServiceAddress(options.serviceCidr)],
          clusterDomain: options.clusterDomain,
          lifetime: own,
        });
        kubelets.add(name, kubelet.server);
        own.defer(() => kubelets.remove(name));
      },
      async stopKubelet() {
        const ending = own;
        own = undefined;
        await ending?.end();
      },
    };
  };

  const members = names.map(member);
  const waiting = [...members];
  const start = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next.startKubelet();
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, members.length) }, start));
  // Only now: before, the objects show what an earlier run left behind.
  await whenUsable(context, informers, names);
  return members;
}

/** Resolves when all these nodes take pods; rejects when they take too long. */
function whenUsable({ clock }: ClusterContext, informers: InformerSet, names: readonly string[]): Promise<void> {
  const missing = new Set(names);
  return new Promise((resolve, reject) => {
    const timeout = readyTimeout + readyTimeoutEach * names.length;
    const timer = clock.after(timeout, () => {
      stop();
      reject(new Error(`after ${timeout / 1000} s these nodes are not ready: ${[...missing].slice(0, 10).join(', ')}`));
    });
    const look = (node: Live<V1Node>): void => {
      if (isUsable(node)) missing.delete(node.metadata.name);
      if (missing.size > 0) return;
      timer.cancel();
      queueMicrotask(stop);
      resolve();
    };
    let unsubscribe: (() => void) | undefined;
    const stop = (): void => unsubscribe?.();
    unsubscribe = informers.informer(nodes).subscribe({ add: look, update: look });
  });
}

/** The disks of simulated nodes in this machine's files, between one run and the next. */
function diskFiles(dir: string): {
  read(node: string): { readonly disk?: Uint8Array };
  write(node: string, disk: Uint8Array | undefined): void;
} {
  const fileOf = (node: string): string => join(dir, `${node}.disk`);
  return {
    read(node) {
      try {
        return { disk: readFileSync(fileOf(node)) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
        throw error;
      }
    },
    write(node, disk) {
      const file = fileOf(node);
      if (!disk) return rmSync(file, { force: true });
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, disk, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}
