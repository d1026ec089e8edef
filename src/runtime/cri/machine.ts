import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, hostname, networkInterfaces, release, totalmem } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import type { MachineInfo, MachineUsage } from '../node-runtime.ts';

const text = (file: string): Promise<string> =>
  readFile(file, 'utf8').then(
    (content) => content.trim(),
    () => '',
  );
/** A line `Name: 123 kB` of /proc/meminfo in bytes. */
export function memoryLine(meminfo: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
}
const goArchitecture: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
};

/** The first address of this machine that others could reach; loopback when there is none. */
export function firstAddress(interfaces: ReturnType<typeof networkInterfaces>): string {
  const skipped = /^(lo|cni|docker|veth|br-|virbr|flannel|cali)/;
  for (const [name, addresses] of Object.entries(interfaces)) {
    const found = skipped.test(name) ? undefined : addresses?.find((one) => one.family === 'IPv4' && !one.internal);
    if (found) return found.address;
  }
  return '127.0.0.1';
}

/** This machine, from /proc, /sys and /etc as the kubelet's cadvisor reads them. `root` is the path whose file system counts as node storage. */
export async function readMachine(root: string): Promise<MachineInfo> {
  const [meminfo, osRelease, machineId, systemUuid, bootId, pidMax, threadsMax, disk] = await Promise.all([
    text('/proc/meminfo'),
    text('/etc/os-release'),
    text('/etc/machine-id'),
    text('/sys/class/dmi/id/product_uuid'),
    text('/proc/sys/kernel/random/boot_id'),
    text('/proc/sys/kernel/pid_max'),
    text('/proc/sys/kernel/threads-max'),
    statfs(root),
  ]);
  return {
    hostname: hostname().toLowerCase(),
    cpus: cpus().length,
    memoryBytes: memoryLine(meminfo, 'MemTotal') || totalmem(),
    swapBytes: memoryLine(meminfo, 'SwapTotal'),
    ephemeralBytes: disk.blocks * disk.bsize,
    maxPids: Math.min(Number(pidMax) || 32768, Number(threadsMax) || 32768),
    machineId,
    systemUuid: systemUuid || machineId,
    bootId,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(osRelease)?.[1] ?? 'Linux',
    operatingSystem: 'linux',
    architecture: goArchitecture[arch()] ?? arch(),
    // The daemon here is run without it (see containerd-config.ts).
    appArmor: false,
    address: firstAddress(networkInterfaces()),
  };
}

/** Load of the whole machine; clock ticks of /proc/stat are hundredths of a second on every Linux that Node runs on. */
export async function readUsage(clock: Clock): Promise<MachineUsage> {
  const [stat, meminfo, loadavg] = await Promise.all([
    text('/proc/stat'),
    text('/proc/meminfo'),
    text('/proc/loadavg'),
  ]);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (stat.split('\n')[0] ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const available = memoryLine(meminfo, 'MemAvailable');
  return {
    timestamp: clock.now(),
    cpuUsageCoreNanoSeconds: (user + nice + system + irq + softirq) * 1e7,
    memoryWorkingSetBytes: memoryLine(meminfo, 'MemTotal') - available,
    memoryAvailableBytes: available,
    pids: Number(loadavg.split(' ')[3]?.split('/')[1] ?? 0),
  };
}
