import { posix } from 'node:path';
import type { V1Container, V1Pod, V1Secret } from '../../api/generated/types.ts';
import type { Mount, PodSandboxConfig } from '../../runtime/cri.ts';
import { type KubeletContext, podEvent, podSpan } from '../context.ts';
import { errorMessage } from '../go-format.ts';
import { StartFailure } from '../images/image-manager.ts';
import { prepareSubPath } from '../volumes/sub-path.ts';
import type { MountedVolume } from '../volumes/volume-manager.ts';
import type { DownwardFacts } from './downward.ts';
import { resolveEnv } from './env.ts';
import { expand } from './expansion.ts';
import { runHook } from './hooks.ts';
import { hostsFile, podHostname } from './hosts.ts';
import { killContainer } from './kill.ts';
import { containerAnnotations, containerLabels } from './labels.ts';
import { containerFieldPath, findContainer, isHostNetwork, type ObservedPod } from './observed.ts';
import { linuxResources } from './resources.ts';
import { podLogDirectory } from './sandbox-config.ts';
import { containerSecurity, verifyRunAsNonRoot } from './security.ts';

export interface StartRequest {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly observed: ObservedPod;
  readonly sandboxId: string;
  readonly sandbox: PodSandboxConfig;
  readonly podIps: readonly string[];
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly secrets: readonly V1Secret[];
  /** Image volumes that could be had, and why others could not. */
  readonly imageVolumes: ReadonlyMap<string, { readonly ref: string } | StartFailure>;
  /** For an ephemeral container: the name of the one whose processes it sees. */
  readonly targetName?: string;
  readonly facts: DownwardFacts;
}

const propagations = { None: 'PRIVATE', HostToContainer: 'HOST_TO_CONTAINER', Bidirectional: 'BIDIRECTIONAL' } as const;

async function mountsOf(
  context: KubeletContext,
  request: StartRequest,
  env: readonly { readonly key: string; readonly value: string }[],
): Promise<Mount[]> {
  const { pod, container, podIps } = request;
  const { files } = context.node;
  const values = new Map(env.map((it) => [it.key, it.value]));
  const mounts: Mount[] = [];
  let ownHosts = podIps.length > 0 || isHostNetwork(pod);
  for (const mount of container.volumeMounts ?? []) {
    if (mount.mountPath === '/etc/hosts') ownHosts = false;
    const volume = request.volumes.get(mount.name);
    if (!volume)
      throw new Error(
        `cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`,
      );
    let subPath = mount.subPath ?? '';
    if (mount.subPathExpr) {
      const missing = new Set<string>();
      subPath = expand(mount.subPathExpr, (name) => {
        const value = values.get(name);
        if (!value) missing.add(name);
        return value ?? '';
      });
      if (missing.size > 0) throw new Error(`missing value for ${[...missing].sort().join(', ')}`);
    }
    const image = request.imageVolumes.get(mount.name);
    const hostPath =
      image || subPath === ''
        ? volume.path
        : await prepareSubPath(files, volume.path, subPath, mount.name, container.name);
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath,
      readonly: mount.readOnly === true || volume.readOnly,
      ...(mount.recursiveReadOnly === 'Enabled' && { recursiveReadOnly: true }),
      propagation: propagations[(mount.mountPropagation ?? 'None') as keyof typeof propagations] ?? 'PRIVATE',
      ...(image && 'ref' in image && { image: { image: image.ref } }),
      ...(image && subPath !== '' && { imageSubPath: subPath }),
    });
  }
  const directory = context.volumes.podDirectory(pod.metadata?.uid ?? '');
  if (ownHosts) {
    const { hostname, domain } = podHostname(pod, context.clusterDomain);
    const nodeFile = isHostNetwork(pod)
      ? await files.read('/etc/hosts').then(
          (it) => it.toString('utf8'),
          // A node without the file still runs pods; they then have only their aliases.
          () => '',
        )
      : undefined;
    const path = posix.join(directory, 'etc-hosts');
    await files.mkdir(directory, 0o750);
    await files.write(path, hostsFile(pod, podIps, hostname, domain, nodeFile), 0o644);
    mounts.push({ containerPath: '/etc/hosts', hostPath: path, readonly: false, propagation: 'PRIVATE' });
  }
  const messagePath = container.terminationMessagePath ?? '/dev/termination-log';
  if (messagePath !== '') {
    const own = posix.join(directory, 'containers', container.name);
    await files.mkdir(own, 0o750);
    const path = posix.join(own, Buffer.from(context.random.bytes(4)).toString('hex'));
    await files.write(path, '', 0o666);
    await files.chmod(path, 0o666);
    mounts.push({ containerPath: messagePath, hostPath: path, readonly: false, propagation: 'PRIVATE' });
  }
  return mounts;
}

const restartCountOf = async (context: KubeletContext, request: StartRequest): Promise<number> => {
  const last = findContainer(request.observed, request.container.name);
  if (last) return last.restartCount + 1;
  const directory = posix.join(podLogDirectory(context.podLogsDir, request.pod), request.container.name);
  if (!(await context.node.files.stat(directory))) return 0;
  const counts = (await context.node.files.list(directory)).flatMap((name) => {
    const match = /^(\d+)\.log/.exec(name);
    return match ? [Number(match[1])] : [];
  });
  return counts.length === 0 ? 0 : Math.max(...counts) + 1;
};

const fileKey =
  (context: KubeletContext, volumes: ReadonlyMap<string, MountedVolume>) =>
  async (volume: string, path: string, key: string): Promise<string | undefined> => {
    const mounted = volumes.get(volume);
    if (!mounted) throw new Error(`cannot find the volume ${JSON.stringify(volume)} referenced by FileKeyRef`);
    const file = posix.join(mounted.path, path);
    const stat = await context.node.files.stat(file);
    if (!stat) return undefined;
    for (const line of (await context.node.files.read(file)).toString('utf8').split('\n')) {
      const match = /^([^#=\s]+)=(?:'([^']*)'|"([^"]*)"|(.*))$/.exec(line.trim());
      if (match?.[1] === key) return match[2] ?? match[3] ?? match[4] ?? '';
    }
    return undefined;
  };

/** Pulls, makes and starts one container, with its postStart hook. Rejects with `StartFailure`. Upstream: startContainer. */
export async function startContainer(context: KubeletContext, request: StartRequest): Promise<string> {
  const { pod, container } = request;
  const { runtime, images, files } = context.node;
  const path = containerFieldPath(pod, container.name);
  const failed = (reason: string, message: string, said = message, retryAt?: number): StartFailure => {
    podEvent(context, pod, 'Warning', 'Failed', `Error: ${said}`, path);
    return new StartFailure(reason, message, retryAt);
  };
  for (const mount of container.volumeMounts ?? []) {
    const image = request.imageVolumes.get(mount.name);
    if (image instanceof StartFailure) throw failed(image.reason, image.message, image.reason, image.retryAt);
  }
  const pulling = context.clock.now();
  let imageRef: string;
  try {
    imageRef = await context.images.ensure({
      pod,
      image: container.image ?? '',
      policy: container.imagePullPolicy,
      secrets: request.secrets,
      sandbox: request.sandbox,
      event: (type, reason, message) => podEvent(context, pod, type, reason, message, path),
    });
    podSpan(context, pod, 'runtime', `image ${container.image}`, pulling, {
      attributes: { container: container.name },
    });
  } catch (error) {
    const failure = error instanceof StartFailure ? error : new StartFailure('ErrImagePull', errorMessage(error));
    podSpan(context, pod, 'runtime', `image ${container.image}`, pulling, { error: failure.message });
    throw failed(failure.reason, failure.message, failure.reason, failure.retryAt);
  }
  const restartCount = await restartCountOf(context, request);
  let config: Parameters<typeof runtime.createContainer>[1];
  try {
    const target = request.targetName === undefined ? undefined : findContainer(request.observed, request.targetName);
    if (request.targetName !== undefined && !target)
      throw new Error(`unable to find target container ${request.targetName}`);
    const env = await resolveEnv({
      pod,
      container,
      objects: context.objects,
      services: await context.services(),
      facts: request.facts,
      fileKey: fileKey(context, request.volumes),
    });
    const mounts = await mountsOf(context, request, env);
    const image = await images.imageStatus({ image: imageRef });
    const user =
      image?.uid === undefined && !image?.username
        ? { uid: 0, username: '' }
        : { ...(image.uid !== undefined && { uid: image.uid }), username: image.username };
    verifyRunAsNonRoot(pod, container, user);
    const values = new Map(env.map((it) => [it.key, it.value]));
    const expanded = (list: readonly string[] | undefined): string[] =>
      (list ?? []).map((it) => expand(it, (name) => values.get(name)));
    await files.mkdir(posix.join(request.sandbox.logDirectory, container.name), 0o755);
    config = {
      metadata: { name: container.name, attempt: restartCount },
      image: { image: imageRef },
      command: expanded(container.command),
      args: expanded(container.args),
      workingDir: container.workingDir ?? '',
      envs: env,
      mounts,
      devices: [],
      labels: containerLabels(pod, container),
      annotations: containerAnnotations(pod, container, restartCount),
      logPath: `${container.name}/${restartCount}.log`,
      stdin: container.stdin === true,
      stdinOnce: container.stdinOnce === true,
      tty: container.tty === true,
      ...(container.lifecycle?.stopSignal && { stopSignal: container.lifecycle.stopSignal }),
      linux: {
        resources: linuxResources(pod, container, context.machine.memoryBytes),
        securityContext: containerSecurity(pod, container, user, target?.id, context.rootDir),
      },
    };
  } catch (error) {
    throw failed('CreateContainerConfigError', errorMessage(error));
  }
  const creating = context.clock.now();
  let id: string;
  try {
    id = await runtime.createContainer(request.sandboxId, config, request.sandbox);
  } catch (error) {
    podSpan(context, pod, 'runtime', `create container ${container.name}`, creating, { error: errorMessage(error) });
    throw failed('CreateContainerError', errorMessage(error));
  }
  podEvent(context, pod, 'Normal', 'Created', 'Container created', path);
  podSpan(context, pod, 'runtime', `create container ${container.name}`, creating);
  const starting = context.clock.now();
  try {
    await runtime.startContainer(id);
  } catch (error) {
    podSpan(context, pod, 'runtime', `start container ${container.name}`, starting, { error: errorMessage(error) });
    throw failed('RunContainerError', errorMessage(error));
  }
  podEvent(context, pod, 'Normal', 'Started', 'Container started', path);
  podSpan(context, pod, 'runtime', `start container ${container.name}`, starting);
  const postStart = container.lifecycle?.postStart;
  if (!postStart) return id;
  const failure = await runHook(context, pod, container, id, postStart, request.podIps[0] ?? '');
  if (failure === undefined) return id;
  podEvent(context, pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', path);
  const status = await runtime.containerStatus(id);
  await killContainer(context, pod, {
    container: {
      id,
      name: container.name,
      sandboxId: request.sandboxId,
      state: 'running',
      createdAt: status.createdAt,
      startedAt: status.startedAt,
      finishedAt: 0,
      exitCode: 0,
      reason: '',
      message: '',
      hash: '',
      restartCount,
      image: status.image.image,
      imageRef: status.imageRef,
      logPath: status.logPath,
    },
    message: 'FailedPostStartHook',
    reason: 'Unknown',
    podIp: request.podIps[0] ?? '',
  });
  throw new StartFailure('PostStartHookError', failure);
}
