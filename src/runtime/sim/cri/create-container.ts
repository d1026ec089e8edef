import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import { type ContainerConfig, CriError, type LinuxResources, type Mount } from '../../cri.ts';
import { type Cgroup, createCgroup } from '../kernel/cgroup.ts';
import { createDev } from '../kernel/devices.ts';
import { createProc, createSys } from '../kernel/proc-fs.ts';
import { createPidNamespace, type ProgramTable, type Workload } from '../kernel/workload.ts';
import type { SimNetwork } from '../net/sim-network.ts';
import type { ResolvedImage } from '../sim-registry.ts';
import { createFileSystem, createInode, type Inode, link, lookup, overlay } from '../vfs/inode.ts';
import { find, type Mounted, type MountSpace, rootCredentials, type Viewpoint } from '../vfs/mount-space.ts';
import { makeDirectories } from '../vfs/operations.ts';
import type { SimNodeFiles } from '../vfs/sim-node-files.ts';
import type { Container, Sandbox } from './container.ts';
import { createContainerLog } from './container-log.ts';
import { capabilitiesOf, credentialsOf } from './users.ts';

/** What containers are made with. */
export interface ContainerMaker {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly files: SimNodeFiles;
  readonly programs: ProgramTable;
  readonly machine: Workload['machine'];
  /** The tree of an image volume. */
  imageTree(name: string): ResolvedImage | undefined;
}

/** Puts limits into force. */
export function applyResources(cgroup: Cgroup, resources: LinuxResources): void {
  cgroup.memoryLimit = resources.memoryLimitInBytes ?? 0;
  cgroup.cpuPeriod = resources.cpuPeriod || 100_000;
  cgroup.cpuLimit = (resources.cpuQuota ?? 0) > 0 ? (resources.cpuQuota ?? 0) / cgroup.cpuPeriod : 0;
  cgroup.cpuShares = resources.cpuShares || 1024;
  cgroup.oomScoreAdj = resources.oomScoreAdj ?? cgroup.oomScoreAdj;
  if (resources.unified) {
    cgroup.oomGroup = resources.unified['memory.oom.group'] === '1';
    const pids = Number(resources.unified['pids.max']);
    if (pids > 0) cgroup.pidsLimit = pids;
  }
}

/** Makes a file or directory at `path` of the container to mount on. */
function mountPoint(view: Viewpoint, path: string, directory: boolean): Inode {
  const clean = path.replace(/\/+$/, '') || '/';
  try {
    return find(view, clean).inode;
  } catch {
    // Absent: the runtime makes it, as runc does.
    if (directory) return makeDirectories(view, clean);
    const parent = makeDirectories(view, clean.slice(0, clean.lastIndexOf('/')) || '/');
    const inode = createInode(parent.fs, 'file');
    link(parent, clean.slice(clean.lastIndexOf('/') + 1), inode);
    return inode;
  }
}

function source(maker: ContainerMaker, mount: Mount): Inode {
  if (mount.image?.image) {
    const image = maker.imageTree(mount.image.image);
    if (!image) throw new CriError('NotFound', `failed to resolve image "${mount.image.image}": not found`);
    const root = overlay(
      createFileSystem('overlay', () => maker.clock.now()),
      image.image.tree(),
    );
    const parts = (mount.imageSubPath ?? '').split('/').filter((part) => part !== '');
    return parts.reduce<Inode>((at, part) => lookup(at, part) ?? at, root);
  }
  try {
    return find(maker.files.view, mount.hostPath).inode;
  } catch {
    // A missing source is created as a directory on the node, as containerd's CRI plugin does.
    return makeDirectories(maker.files.view, mount.hostPath);
  }
}

/** The effective command: the pod's, or the image's. */
function commandOf(config: ContainerConfig, image: ResolvedImage, id: string): readonly string[] {
  const entrypoint = config.command.length > 0 ? config.command : (image.image.entrypoint ?? []);
  const args = config.args.length > 0 ? config.args : config.command.length > 0 ? [] : (image.image.cmd ?? []);
  const argv = [...entrypoint, ...args];
  if (argv.length === 0)
    throw new CriError(
      'Unknown',
      `failed to generate container "${id}" spec: failed to generate spec: no command specified`,
    );
  return argv;
}

/** Builds a container, not yet running. Throws CriError with containerd's texts. */
export function buildContainer(
  maker: ContainerMaker,
  id: string,
  sandbox: Sandbox,
  config: ContainerConfig,
  image: ResolvedImage,
): Container {
  const { clock } = maker;
  const now = (): number => clock.now();
  const context = config.linux.securityContext;
  const cgroup = createCgroup(maker.network.pacer);
  applyResources(cgroup, config.linux.resources);
  const argv = commandOf(config, image, id);
  const rootFs = createFileSystem('overlay', now);
  const root = overlay(rootFs, image.image.tree());
  const mounts = new Map<Inode, Mounted>();
  const space: MountSpace = { root, rootReadonly: false, mounts, outer: maker.files.space.mounts };
  const view: Viewpoint = { space, credentials: rootCredentials, cwd: '/' };
  const credentials = credentialsOf(space, image.image.user ?? '', context, id);
  const put = (path: string, what: Inode, type: string, from: string, readonly: boolean, options = ''): void => {
    const at = mountPoint(view, path, what.type === 'directory');
    mounts.set(at, {
      path,
      root: what,
      readonly,
      source: from,
      type,
      options: `${readonly ? 'ro' : 'rw'},${options || 'relatime'}`,
    });
  };
  const late = (): Workload => workload;
  put('/proc', createProc(now, late), 'proc', 'proc', false, 'nosuid,nodev,noexec,relatime');
  const dev = createDev(createFileSystem('tmpfs', now, 65536 * 1024));
  put('/dev', dev, 'tmpfs', 'tmpfs', false, 'nosuid,size=65536k,mode=755');
  put('/dev/shm', sandbox.shm, 'tmpfs', 'shm', false, 'nosuid,nodev,noexec,relatime,size=65536k');
  put('/sys', createSys(now, late), 'sysfs', 'sysfs', !context.privileged, 'nosuid,nodev,noexec,relatime');
  const resolvConf = sandbox.config.dnsConfig;
  if (resolvConf && !config.mounts.some((mount) => mount.containerPath === '/etc/resolv.conf')) {
    const lines = [
      ...(resolvConf.searches.length > 0 ? [`search ${resolvConf.searches.join(' ')}`] : []),
      ...resolvConf.servers.map((server) => `nameserver ${server}`),
      ...(resolvConf.options.length > 0 ? [`options ${resolvConf.options.join(' ')}`] : []),
    ];
    putFile(view, '/etc/resolv.conf', `${lines.join('\n')}\n`);
  }
  const hostname = sandbox.hostNetwork ? maker.machine.nodeName : sandbox.config.hostname || maker.machine.nodeName;
  putFile(view, '/etc/hostname', `${hostname}\n`);
  if (!config.mounts.some((mount) => mount.containerPath === '/etc/hosts'))
    putFile(view, '/etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n');
  for (const path of image.image.volumes ?? [])
    if (!config.mounts.some((mount) => mount.containerPath === path)) makeDirectories(view, path);
  for (const mount of [...config.mounts].sort(
    (a, b) => a.containerPath.split('/').length - b.containerPath.split('/').length,
  )) {
    const from = source(maker, mount);
    const type = from.fs.type === 'tmpfs' ? 'tmpfs' : mount.image?.image ? 'overlay' : 'ext4';
    put(
      mount.containerPath,
      from,
      type,
      type === 'ext4' ? '/dev/vda1' : type,
      mount.readonly || (mount.image !== undefined && mount.image.image !== ''),
    );
  }
  const cwd = config.workingDir || image.image.workingDir || '/';
  makeDirectories(view, cwd);
  space.rootReadonly = context.readonlyRootfs;
  const env = new Map(
    Object.entries(image.image.env ?? { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }),
  );
  if (!env.has('PATH')) env.set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  env.set('HOSTNAME', hostname);
  if (config.tty) env.set('TERM', 'xterm');
  for (const { key, value } of config.envs) env.set(key, value);
  if (!env.has('HOME')) env.set('HOME', credentials.home);
  const mode = context.namespaceOptions.pid;
  const target =
    mode === 'TARGET'
      ? [...sandbox.containers].find((other) => other.id === context.namespaceOptions.targetId)
      : undefined;
  if (mode === 'TARGET' && !target)
    throw new CriError(
      'NotFound',
      `failed to generate container "${id}" spec: failed to get pid of target container: container "${context.namespaceOptions.targetId ?? ''}" not found`,
    );
  const workload: Workload = {
    id,
    name: config.metadata.name,
    hostname,
    clock,
    random: maker.random,
    cgroup,
    pids: target?.workload.pids ?? (mode === 'POD' || mode === 'NODE' ? sandbox.pids : createPidNamespace()),
    space,
    net: sandbox.net,
    programs: maker.programs,
    machine: maker.machine,
    privileged: context.privileged,
    noNewPrivs: context.noNewPrivs,
    capabilities: capabilitiesOf(context),
    seccomp: context.seccomp.profileType !== 'Unconfined',
    annotations: { ...sandbox.config.annotations, ...config.annotations },
    sysctls: sandbox.config.linux.sysctls,
    image: image.image.repository.slice(image.image.repository.indexOf('/') + 1).replace(/^library\//, ''),
  };
  const logPath = config.logPath === '' ? '' : `${sandbox.config.logDirectory}/${config.logPath}`;
  const container: Container = {
    id,
    sandbox,
    config,
    image,
    createdAt: clock.now(),
    workload,
    rootFs,
    credentials,
    env,
    argv,
    cwd,
    log: createContainerLog(clock, (bytes) => {
      if (container.logPath !== '') maker.files.append(container.logPath, bytes);
    }),
    resources: config.linux.resources,
    state: 'CREATED',
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    oomKilled: false,
    logPath,
    init: undefined,
    tty: undefined,
    stdin: undefined,
    exited: new Set(),
  };
  cgroup.onOom = () => {
    container.oomKilled = true;
  };
  return container;
}

function putFile(view: Viewpoint, path: string, text: string): void {
  const inode = mountPoint(view, path, false);
  inode.shared = false;
  inode.data = { size: Buffer.byteLength(text), pages: [Buffer.from(text)] };
}
