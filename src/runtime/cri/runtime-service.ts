import { posix } from 'node:path';
import { type Clock, sleep } from '../../base/clock.ts';
import {
  CriError,
  type Mount,
  type PodSandboxStatus,
  type RuntimeCondition,
  type RuntimeService,
  type RuntimeVersion,
} from '../cri.ts';
import type { Channel } from './channel.ts';
import { containerEvents } from './container-events.ts';
import { hasCriCode } from './cri-code.ts';
import {
  containerFromWire,
  sandboxFromWire,
  statsFromWire,
  statusFromWire,
  type WireContainer,
  type WireContainerStatus,
  type WireSandbox,
  type WireStats,
} from './from-wire.ts';
import type { ImageVolumes } from './image-volumes.ts';
import { attachStream, execStream, portForwardStream } from './streaming.ts';
import { containerFilter, containerToWire, resourcesToWire, sandboxToWire } from './to-wire.ts';

/** Kubernetes' label for the pod's uid on sandboxes and containers. */
const uidLabel = 'io.kubernetes.pod.uid';

/** A runtime that does not tell its status within this time counts as silent, milliseconds. */
const statusMs = 5_000;

/** How often, and how many milliseconds apart, a status is looked at until it shows an exit that was told. */
const settleTries = 100;
const settleMs = 10;

/** CRI's RuntimeService over gRPC, with containerd's events in the place of CRI events. */
export function criRuntimeService(channel: Channel, clock: Clock, images?: ImageVolumes): RuntimeService {
  const { runtime } = channel;
  /** Which sandbox a container belongs to and which pod that is; asked once a container. */
  const owners = new Map<string, { readonly podSandboxId: string; readonly podUid: string }>();

  const listContainers: RuntimeService['listContainers'] = async (filter) => {
    const request = { filter: containerFilter(filter) };
    const { containers } = await runtime.call<{ containers: readonly WireContainer[] }>('ListContainers', request);
    return containers.map(containerFromWire);
  };
  /** Addresses and namespaces of a sandbox, which lists leave out; they never change, so each sandbox is asked once. */
  const networks = new Map<string, Pick<PodSandboxStatus, 'ips' | 'namespaceOptions'>>();
  const podSandboxStatus = async (podSandboxId: string): Promise<PodSandboxStatus> => {
    const { status } = await runtime.call<{ status: WireSandbox }>('PodSandboxStatus', { podSandboxId });
    return sandboxFromWire(status);
  };
  const networkOf = async (id: string): Promise<Partial<PodSandboxStatus>> => {
    const found = networks.get(id);
    if (found) return found;
    try {
      const { ips, namespaceOptions, state } = await podSandboxStatus(id);
      if (ips.length > 0 || state === 'NOTREADY' || namespaceOptions.network === 'NODE')
        networks.set(id, { ips, namespaceOptions });
      return { ips, namespaceOptions };
    } catch (error) {
      if (hasCriCode(error, 'NotFound')) return {};
      throw error;
    }
  };
  const listPodSandbox: RuntimeService['listPodSandbox'] = async (filter) => {
    const request = { filter: { id: filter?.id ?? '', labelSelector: filter?.labels ?? {} } };
    const { items } = await runtime.call<{ items: readonly WireSandbox[] }>('ListPodSandbox', request);
    const known = await Promise.all(items.map(({ id }) => networkOf(id)));
    return items.map((item, i) => ({ ...sandboxFromWire(item), ...known[i] }));
  };
  const ownerOf = async (
    id: string,
  ): Promise<{ readonly podSandboxId: string; readonly podUid: string } | undefined> => {
    const known = owners.get(id);
    if (known) return known;
    const [container] = await listContainers({ id });
    const [sandbox] = container ? [] : await listPodSandbox({ id });
    const owner = container
      ? { podSandboxId: container.podSandboxId, podUid: container.labels[uidLabel] ?? '' }
      : sandbox && { podSandboxId: id, podUid: sandbox.metadata.uid };
    if (owner) owners.set(id, owner);
    return owner;
  };

  /** A mount of an image, where the runtime knows none, becomes one of a view of the image. */
  const withImage = async (sandboxId: string, mount: Mount): Promise<Mount> => {
    if (!mount.image || !images) return mount;
    const { image, imageSubPath, ...rest } = mount;
    const root = await images.mount(sandboxId, image.image);
    const hostPath = posix.join(root, imageSubPath ?? '');
    if (hostPath !== root && !hostPath.startsWith(`${root}/`))
      throw new CriError('InvalidArgument', `image subpath ${JSON.stringify(imageSubPath)} leaves the image`);
    return { ...rest, hostPath, readonly: true };
  };

  const settled = async (containerId: string): Promise<void> => {
    for (let i = 0; i < settleTries; i++) {
      try {
        const { status } = await runtime.call<{ status: WireContainerStatus }>('ContainerStatus', { containerId });
        if (status.state === 'CONTAINER_EXITED') return;
      } catch (error) {
        if (hasCriCode(error, 'NotFound')) return;
        throw error;
      }
      await sleep(clock, settleMs);
    }
  };

  return {
    version: () => runtime.call<RuntimeVersion>('Version', {}),
    async status() {
      const reply = await runtime.call<{
        status: { conditions: readonly RuntimeCondition[] };
        runtimeHandlers: readonly { name: string }[];
      }>('Status', {}, statusMs);
      return { conditions: reply.status.conditions, runtimeHandlers: reply.runtimeHandlers.map((one) => one.name) };
    },
    updateRuntimeConfig: async (podCidr) =>
      void (await runtime.call('UpdateRuntimeConfig', { runtimeConfig: { networkConfig: { podCidr } } })),
    async runPodSandbox(config, runtimeHandler) {
      const request = { config: sandboxToWire(config), runtimeHandler };
      const { podSandboxId } = await runtime.call<{ podSandboxId: string }>('RunPodSandbox', request, 240_000);
      owners.set(podSandboxId, { podSandboxId, podUid: config.metadata.uid });
      return podSandboxId;
    },
    async stopPodSandbox(podSandboxId) {
      try {
        await runtime.call('StopPodSandbox', { podSandboxId });
      } catch (error) {
        // CRI wants no error for one that is gone; containerd 1.6 gives one.
        if (!hasCriCode(error, 'NotFound')) throw error;
      }
    },
    async removePodSandbox(podSandboxId) {
      await runtime.call('RemovePodSandbox', { podSandboxId });
      await images?.release(podSandboxId);
      owners.delete(podSandboxId);
      networks.delete(podSandboxId);
    },
    podSandboxStatus,
    listPodSandbox,
    async createContainer(sandboxId, config, sandbox) {
      const request = {
        podSandboxId: sandboxId,
        config: containerToWire({
          ...config,
          mounts: await Promise.all(config.mounts.map((mount) => withImage(sandboxId, mount))),
        }),
        sandboxConfig: sandboxToWire(sandbox),
      };
      const { containerId } = await runtime.call<{ containerId: string }>('CreateContainer', request);
      owners.set(containerId, { podSandboxId: sandboxId, podUid: sandbox.metadata.uid });
      return containerId;
    },
    startContainer: async (containerId) => void (await runtime.call('StartContainer', { containerId })),
    stopContainer: async (containerId, timeoutSeconds) =>
      void (await runtime.call(
        'StopContainer',
        { containerId, timeout: timeoutSeconds },
        (timeoutSeconds + 120) * 1000,
      )),
    async removeContainer(containerId) {
      await runtime.call('RemoveContainer', { containerId });
      owners.delete(containerId);
    },
    listContainers,
    async containerStatus(containerId) {
      const { status } = await runtime.call<{ status: WireContainerStatus }>('ContainerStatus', { containerId });
      return statusFromWire(status, (await ownerOf(containerId))?.podSandboxId ?? '');
    },
    updateContainerResources: async (containerId, resources) =>
      void (await runtime.call('UpdateContainerResources', { containerId, linux: resourcesToWire(resources) })),
    reopenContainerLog: async (containerId) => void (await runtime.call('ReopenContainerLog', { containerId })),
    execSync: (containerId, command, timeoutSeconds) =>
      runtime.call<{ stdout: Buffer; stderr: Buffer; exitCode: number }>(
        'ExecSync',
        { containerId, cmd: command, timeout: timeoutSeconds },
        timeoutSeconds > 0 ? (timeoutSeconds + 10) * 1000 : 0,
      ),
    exec: (containerId, command, options) => execStream(runtime, containerId, command, options),
    attach: (containerId, options) => attachStream(runtime, containerId, options),
    portForward: (sandboxId, port) => portForwardStream(runtime, sandboxId, port),
    async containerStats(filter) {
      const request = {
        filter: { id: filter?.id ?? '', podSandboxId: filter?.podSandboxId ?? '', labelSelector: filter?.labels ?? {} },
      };
      const { stats } = await runtime.call<{ stats: readonly WireStats[] }>('ListContainerStats', request);
      return stats.map(statsFromWire);
    },
    events: (signal) =>
      containerEvents(
        channel.events,
        {
          async ownerOf(id) {
            try {
              return await ownerOf(id);
            } catch (error) {
              if (hasCriCode(error, 'NotFound')) return undefined;
              throw error;
            }
          },
          settled,
        },
        clock,
        signal,
      ),
  };
}
