import { type Caller, createFileSystem, createInode, type FileSystem, type Inode, link } from '../vfs/inode.ts';
import { memoryOf, settleCpu } from './cgroup.ts';
import type { Process } from './process.ts';
import type { Workload } from './workload.ts';

const file = (
  fs: FileSystem,
  generate: (caller: Caller | undefined) => string,
  accept?: (text: string) => void,
): Inode => {
  const inode = createInode(fs, 'file', accept ? 0o644 : 0o444);
  inode.generate = generate;
  if (accept) inode.accept = accept;
  return inode;
};

const symlink = (fs: FileSystem, target: Inode['target'], attachment?: unknown): Inode => {
  const inode = createInode(fs, 'symlink');
  if (target !== undefined) inode.target = target;
  if (attachment !== undefined) inode.attachment = attachment;
  return inode;
};

/** A directory whose children are made when asked for. */
function directory(fs: FileSystem, children: Readonly<Record<string, (caller: Caller | undefined) => Inode>>): Inode {
  const inode = createInode(fs, 'directory', 0o555);
  inode.dynamic = {
    list: () => Object.keys(children),
    lookup: (name, caller) => (Object.hasOwn(children, name) ? children[name]?.(caller) : undefined),
  };
  return inode;
}

/** The /proc of a container: its PID namespace, the node's memory and CPUs. `workload` is asked late, when it exists. */
export function createProc(now: () => number, workload: () => Workload): Inode {
  const fs = createFileSystem('proc', now);
  const root = createInode(fs, 'directory', 0o555);
  const kib = (bytes: number): string => `${String(Math.floor(bytes / 1024)).padStart(8)} kB`;
  const text = (make: () => string) => () => file(fs, make);
  const uptime = (): number => (workload().clock.now() - workload().machine.bootedAt) / 1000;
  const value = (name: string, fallback: string) => () => file(fs, () => `${workload().sysctls[name] ?? fallback}\n`);
  const fixed: Readonly<Record<string, (caller: Caller | undefined) => Inode>> = {
    self: () => symlink(fs, (caller) => String(caller?.pid ?? 1)),
    'thread-self': () => symlink(fs, (caller) => `${caller?.pid ?? 1}/task/${caller?.pid ?? 1}`),
    mounts: () => symlink(fs, 'self/mounts'),
    net: () => symlink(fs, 'self/net'),
    meminfo: text(() => {
      const { memoryBytes } = workload().machine;
      const used = memoryOf(workload().cgroup);
      return [
        `MemTotal:       ${kib(memoryBytes)}`,
        `MemFree:        ${kib(memoryBytes * 0.6 - used)}`,
        `MemAvailable:   ${kib(memoryBytes * 0.8 - used)}`,
        `Buffers:        ${kib(memoryBytes * 0.02)}`,
        `Cached:         ${kib(memoryBytes * 0.18)}`,
        `SwapTotal:      ${kib(0)}`,
        `SwapFree:       ${kib(0)}`,
        '',
      ].join('\n');
    }),
    cpuinfo: text(() =>
      Array.from(
        { length: workload().machine.cpus },
        (_, cpu) =>
          `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\nmodel name\t: Simulated CPU\ncpu MHz\t\t: 2400.000\ncache size\t: 32768 KB\ncpu cores\t: ${workload().machine.cpus}\nflags\t\t: fpu sse sse2 avx avx2\nbogomips\t: 4800.00\n\n`,
      ).join(''),
    ),
    uptime: text(() => `${uptime().toFixed(2)} ${(uptime() * workload().machine.cpus * 0.9).toFixed(2)}\n`),
    loadavg: text(() => `0.10 0.08 0.05 1/${workload().pids.processes.size} ${workload().pids.nextPid - 1}\n`),
    version: text(
      () => `Linux version ${workload().machine.kernelVersion} (coracle@sim) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC\n`,
    ),
    cmdline: text(() => 'BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro quiet\n'),
    filesystems: text(() => 'nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\n\text4\nnodev\toverlay\n'),
    stat: text(() => {
      const total = Math.floor(uptime() * 100);
      const busy = Math.floor(settleCpu(workload().cgroup) / 10_000);
      const line = `${busy} 0 0 ${Math.max(0, total - busy)} 0 0 0 0 0 0`;
      return `cpu  ${line}\ncpu0 ${line}\nbtime ${Math.floor(workload().machine.bootedAt / 1000)}\nprocesses ${workload().pids.nextPid}\n`;
    }),
    swaps: text(() => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
    sys: () =>
      directory(fs, {
        kernel: () =>
          directory(fs, {
            hostname: text(() => `${workload().hostname}\n`),
            osrelease: text(() => `${workload().machine.kernelVersion}\n`),
            ostype: text(() => 'Linux\n'),
            pid_max: text(() => '4194304\n'),
            'threads-max': text(() => '192000\n'),
            shmmax: value('kernel.shmmax', '18446744073692774399'),
            shmall: value('kernel.shmall', '18446744073692774399'),
            shm_rmid_forced: value('kernel.shm_rmid_forced', '0'),
            msgmax: value('kernel.msgmax', '8192'),
            sem: value('kernel.sem', '32000\t1024000000\t500\t32000'),
            random: () => directory(fs, { uuid: text(() => uuid(workload())), boot_id: text(() => uuid(workload())) }),
          }),
        vm: () =>
          directory(fs, {
            max_map_count: text(() => '65530\n'),
            overcommit_memory: text(() => '0\n'),
            swappiness: text(() => '60\n'),
          }),
        fs: () => directory(fs, { 'file-max': text(() => '9223372036854775807\n'), nr_open: text(() => '1048576\n') }),
        net: () =>
          directory(fs, {
            core: () => directory(fs, { somaxconn: value('net.core.somaxconn', '4096') }),
            ipv4: () =>
              directory(fs, {
                ip_forward: text(() => '1\n'),
                ip_local_port_range: value('net.ipv4.ip_local_port_range', '32768\t60999'),
                ip_unprivileged_port_start: value('net.ipv4.ip_unprivileged_port_start', '0'),
                tcp_syncookies: value('net.ipv4.tcp_syncookies', '1'),
                ping_group_range: value('net.ipv4.ping_group_range', '0\t2147483647'),
                tcp_keepalive_time: value('net.ipv4.tcp_keepalive_time', '7200'),
              }),
          }),
      }),
  };
  root.dynamic = {
    list: () => [...Object.keys(fixed), ...[...workload().pids.processes.keys()].map(String)],
    lookup(name, caller) {
      if (Object.hasOwn(fixed, name)) return fixed[name]?.(caller);
      const process = /^\d+$/.test(name) ? workload().pids.processes.get(Number(name)) : undefined;
      return process && processDirectory(fs, process);
    },
  };
  return root;
}

const uuid = (workload: Workload): string => {
  const hex = Buffer.from(workload.random.bytes(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}\n`;
};

const stateNames = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' } as const;

function processDirectory(fs: FileSystem, p: Process): Inode {
  const text = (make: () => string) => () => file(fs, make);
  const children: Readonly<Record<string, (caller: Caller | undefined) => Inode>> = {
    cmdline: text(() => (p.alive ? p.argv.map((arg) => `${arg}\0`).join('') : '')),
    comm: text(() => `${p.comm}\n`),
    environ: text(() => [...p.env].map(([key, value]) => `${key}=${value}\0`).join('')),
    exe: () => symlink(fs, p.exe),
    cwd: () => symlink(fs, p.cwd),
    root: () => symlink(fs, '/'),
    fd: () => {
      const dir = createInode(fs, 'directory', 0o500, p.credentials.uid, p.credentials.gid);
      dir.dynamic = {
        list: () => p.fds.flatMap((open, fd) => (open ? [String(fd)] : [])),
        lookup(name) {
          const open = /^\d+$/.test(name) ? p.fds[Number(name)] : undefined;
          if (!open) return undefined;
          // A regular file is opened anew through its path; everything else is the same open file.
          return open.kind === 'file' || open.kind === 'directory' || open.kind === 'device'
            ? symlink(fs, open.path)
            : symlink(fs, open.path, open);
        },
      };
      return dir;
    },
    status: text(() => {
      const { uid, gid, groups } = p.credentials;
      const state = p.state;
      return [
        `Name:\t${p.comm}`,
        `Umask:\t${p.umask.toString(8).padStart(4, '0')}`,
        `State:\t${state} (${stateNames[state]})`,
        `Tgid:\t${p.pid}`,
        `Pid:\t${p.pid}`,
        `PPid:\t${p.parent?.pid ?? 0}`,
        `Uid:\t${uid}\t${uid}\t${uid}\t${uid}`,
        `Gid:\t${gid}\t${gid}\t${gid}\t${gid}`,
        `Groups:\t${groups.join(' ')} `,
        `VmSize:\t${String(Math.ceil(p.rss / 512)).padStart(8)} kB`,
        `VmRSS:\t${String(Math.ceil(p.rss / 1024)).padStart(8)} kB`,
        'Threads:\t1',
        `CapInh:\t0000000000000000`,
        `CapPrm:\t${capabilityMask(p)}`,
        `CapEff:\t${capabilityMask(p)}`,
        `CapBnd:\t${capabilityBits(p.workload.capabilities, p.workload.privileged)}`,
        'CapAmb:\t0000000000000000',
        `NoNewPrivs:\t${p.workload.noNewPrivs ? 1 : 0}`,
        `Seccomp:\t${p.workload.seccomp ? 2 : 0}`,
        '',
      ].join('\n');
    }),
    stat: text(() => {
      const ticks = Math.floor(p.cpuMicros / 10_000);
      const start = Math.floor((p.startedAt - p.workload.machine.bootedAt) / 10);
      return `${p.pid} (${p.comm}) ${p.state} ${p.parent?.pid ?? 0} ${p.pgid} ${p.pgid} 0 -1 4194304 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${start} ${p.rss * 2} ${Math.ceil(p.rss / 4096)}\n`;
    }),
    mounts: text(() => mountTable(p.workload)),
    mountinfo: text(() =>
      mountTable(p.workload)
        .trimEnd()
        .split('\n')
        .map((line, index) => {
          const [source, path, type, options] = line.split(' ');
          return `${100 + index} 99 0:${50 + index} / ${path} ${options} - ${type} ${source} ${options}\n`;
        })
        .join(''),
    ),
    cgroup: text(() => '0::/\n'),
    limits: text(
      () =>
        'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1048576              1048576              files     \nMax processes             unlimited            unlimited            processes \n',
    ),
    oom_score_adj: text(() => `${p.workload.cgroup.oomScoreAdj}\n`),
    net: () => directory(fs, { tcp: text(() => tcpTable(p.workload)), dev: text(() => 'lo: 0 0\neth0: 0 0\n') }),
  };
  return directory(fs, children);
}

const capabilityMask = (p: Process): string =>
  p.credentials.uid === 0 ? capabilityBits(p.workload.capabilities, p.workload.privileged) : '0'.repeat(16);

/** Linux' capabilities in the order of their numbers (capability.h). */
export const capabilityNames = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

function capabilityBits(held: ReadonlySet<string>, all: boolean): string {
  let bits = 0n;
  capabilityNames.forEach((name, index) => {
    if (all || held.has(name)) bits |= 1n << BigInt(index);
  });
  return bits.toString(16).padStart(16, '0');
}

/** /proc/mounts. */
export function mountTable(workload: Workload): string {
  const { space } = workload;
  const lines = [`overlay / overlay ${space.rootReadonly ? 'ro' : 'rw'},relatime 0 0`];
  for (const { source, path, type, options } of space.mounts.values())
    lines.push(`${source} ${path} ${type} ${options} 0 0`);
  return `${lines.join('\n')}\n`;
}

const hexAddress = (ip: string, port: number): string => {
  const parts = ip.includes(':') ? [0, 0, 0, 0] : ip.split('.').map(Number);
  const hex = parts
    .reverse()
    .map((part) => part.toString(16).padStart(2, '0'))
    .join('');
  return `${hex}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
};

function tcpTable(workload: Workload): string {
  const rows: string[] = [];
  const add = (local: string, remote: string, state: string): void => {
    rows.push(
      `${String(rows.length).padStart(4)}: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${1000 + rows.length} 1`,
    );
  };
  for (const { local } of workload.net.tcp.values()) add(hexAddress(local.ip, local.port), '00000000:0000', '0A');
  for (const { local, remote } of workload.net.connections)
    add(hexAddress(local.ip, local.port), hexAddress(remote.ip, remote.port), '01');
  return `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${rows.join('\n')}${rows.length ? '\n' : ''}`;
}

/** /sys with the container's cgroup (version 2). */
export function createSys(now: () => number, workload: () => Workload): Inode {
  const fs = createFileSystem('sysfs', now);
  const group = (): Workload['cgroup'] => workload().cgroup;
  const or = (limit: number): string => (limit > 0 ? `${Math.floor(limit)}\n` : 'max\n');
  const values: Readonly<Record<string, () => string>> = {
    'memory.max': () => or(group().memoryLimit),
    'memory.high': () => 'max\n',
    'memory.min': () => '0\n',
    'memory.low': () => '0\n',
    'memory.current': () => `${memoryOf(group())}\n`,
    'memory.peak': () => `${Math.max(group().peak, memoryOf(group()))}\n`,
    'memory.swap.max': () => '0\n',
    'memory.swap.current': () => '0\n',
    'memory.oom.group': () => (group().oomGroup ? '1\n' : '0\n'),
    'memory.events': () =>
      `low 0\nhigh 0\nmax ${group().oomKills}\noom ${group().oomKills}\noom_kill ${group().oomKills}\noom_group_kill 0\n`,
    'memory.stat': () =>
      `anon ${memoryOf(group()) - group().cache}\nfile ${group().cache}\nshmem ${group().cache}\ninactive_file 0\n`,
    'cpu.max': () => {
      const { cpuLimit, cpuPeriod } = group();
      return cpuLimit > 0 ? `${Math.round(cpuLimit * cpuPeriod)} ${cpuPeriod}\n` : `max ${cpuPeriod}\n`;
    },
    // The runtime's conversion of shares to a weight (runc, libcontainer/cgroups).
    'cpu.weight': () => `${Math.floor(1 + ((Math.max(2, group().cpuShares) - 2) * 9999) / 262142)}\n`,
    'cpu.stat': () => {
      const used = Math.floor(settleCpu(group()));
      return `usage_usec ${used}\nuser_usec ${used}\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec ${Math.floor(group().throttledMicros)}\n`;
    },
    'pids.max': () => or(group().pidsLimit),
    'pids.current': () => `${group().members.size}\n`,
    'cgroup.procs': () => [...group().members].map((p) => `${p.pid}\n`).join(''),
    'cgroup.controllers': () => 'cpuset cpu io memory hugetlb pids rdma\n',
    'cgroup.type': () => 'domain\n',
    'cpuset.cpus.effective': () => `0-${workload().machine.cpus - 1}\n`,
    'io.stat': () => '\n',
  };
  const cgroup = directory(
    fs,
    Object.fromEntries(Object.entries(values).map(([name, make]) => [name, () => file(fs, make)])),
  );
  const net = directory(fs, {
    eth0: () =>
      directory(fs, { mtu: () => file(fs, () => '1500\n'), address: () => file(fs, () => '02:42:0a:f4:00:02\n') }),
    lo: () => directory(fs, { mtu: () => file(fs, () => '65536\n') }),
  });
  const online = (): Inode => file(fs, () => `0-${workload().machine.cpus - 1}\n`);
  const root = createInode(fs, 'directory', 0o555);
  const at = (parent: Inode, name: string, child: Inode): Inode => {
    link(parent, name, child);
    return child;
  };
  at(at(root, 'fs', createInode(fs, 'directory', 0o555)), 'cgroup', cgroup);
  at(at(root, 'class', createInode(fs, 'directory', 0o555)), 'net', net);
  const cpu = directory(fs, { online, possible: online, present: online });
  at(
    at(at(root, 'devices', createInode(fs, 'directory', 0o555)), 'system', createInode(fs, 'directory', 0o555)),
    'cpu',
    cpu,
  );
  return root;
}
