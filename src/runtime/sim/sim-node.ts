import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { type Random, randomUuid } from '../../base/random.ts';
import type { MachineInfo, MachineUsage, NodeRuntime } from '../node-runtime.ts';
import { createImageStore } from './cri/image-store.ts';
import { type SimRuntimeService, simRuntimeService } from './cri/sim-runtime-service.ts';
import { SysError } from './errno.ts';
import { memoryOf, settleCpu } from './kernel/cgroup.ts';
import { toDuplex } from './net/duplex.ts';
import type { NetNamespace } from './net/net-namespace.ts';
import type { SimNetwork } from './net/sim-network.ts';
import type { SimRegistry } from './sim-registry.ts';
import { restoreDisk, saveDisk } from './vfs/disk-snapshot.ts';
import { createSimNodeFiles, type SimNodeFiles } from './vfs/sim-node-files.ts';

/** The hardware of a simulated node. */
export interface SimMachine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly maxPids: number;
  /** Go's word: `amd64`, `arm64`. */
  readonly architecture: string;
}

export const defaultSimMachine: SimMachine = {
  cpus: 8,
  memoryBytes: 16 * 2 ** 30,
  diskBytes: 100 * 2 ** 30,
  maxPids: 32_768,
  architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
};

/** What a node can be made to run short of. */
export type SimPressure = 'memory' | 'disk' | 'pid';

export interface SimNodeOptions {
  readonly name: string;
  /** Its address in the virtual network. */
  readonly address: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly registry: SimRegistry;
  readonly machine?: Partial<SimMachine>;
  /** `nameserver` lines of the node's own /etc/resolv.conf. */
  readonly nameservers?: readonly string[];
  /** What `savedDisk` gave when the node ran before. */
  readonly disk?: Uint8Array;
}

/** A simulated node, with what only the simulation can do to it. */
export interface SimNode extends NodeRuntime {
  readonly runtime: SimRuntimeService;
  /** Uses up, or gives back, what is measured: nothing else on the node changes. */
  press(what: SimPressure, on: boolean): void;
  /** Turns the machine off: what runs ends at once, its disk is kept. It does not answer any more. */
  powerOff(): void;
  /** The files on its disk, to start it with again; undefined when there is nothing to keep. */
  savedDisk(): Buffer | undefined;
  /** After `powerOff`: as a rebooted machine, with another boot id. */
  powerOn(): void;
}

/** Memory of the system beside the pods: kernel, kubelet, runtime. */
const systemMemory = 512 * 2 ** 20;
const kernelVersion = '6.1.0-sim';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A node of the simulation: a machine with a disk, a network address, and a container runtime. */
export function createSimNode(options: SimNodeOptions): SimNode {
  const { name, address, clock, random, network, registry } = options;
  const hardware: SimMachine = { ...defaultSimMachine, ...options.machine };
  const disk = createSimNodeFiles(() => clock.now(), hardware.diskBytes);
  if (options.disk) restoreDisk(disk.disk, disk.space.root, options.disk);
  const images = createImageStore(registry, clock);
  const pressed = new Set<SimPressure>();
  const id = digest(`machine ${name}`);
  const boot = { id: randomUuid(random), at: clock.now() };
  const host: NetNamespace = network.createNamespace(name, name, [address]);
  const runtime = simRuntimeService({
    clock,
    random,
    network,
    images,
    host,
    files: disk,
    programs: registry.programs,
    machine: {
      cpus: hardware.cpus,
      memoryBytes: hardware.memoryBytes,
      get bootedAt() {
        return boot.at;
      },
      kernelVersion,
      nodeName: name,
      architecture: hardware.architecture,
    },
  });
  writeSystemFiles(disk, name, address, options.nameservers ?? []);

  const dial = async (to: string, port: number): Promise<Duplex> => {
    const ip = to === 'localhost' ? '127.0.0.1' : to;
    if (isIP(ip) === 0) throw Object.assign(new Error(`dial tcp: lookup ${to}: no such host`), { code: 'ENOTFOUND' });
    return toDuplex(await host.connect({ ip, port }));
  };
  const machine = (): MachineInfo => ({
    hostname: name,
    cpus: hardware.cpus,
    memoryBytes: hardware.memoryBytes,
    swapBytes: 0,
    ephemeralBytes: hardware.diskBytes,
    maxPids: hardware.maxPids,
    machineId: id.slice(0, 32),
    systemUuid: `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20, 32)}`,
    bootId: boot.id,
    kernelVersion,
    osImage: 'coracle simulated node',
    operatingSystem: 'linux',
    architecture: hardware.architecture,
    address,
  });
  const usage = (): MachineUsage => {
    let memory = systemMemory;
    let cpuMicros = 0;
    let pids = 100;
    for (const { workload } of runtime.running()) {
      memory += memoryOf(workload.cgroup);
      cpuMicros += settleCpu(workload.cgroup);
      pids += workload.cgroup.members.size;
    }
    const used = pressed.has('memory') ? hardware.memoryBytes : memory;
    return {
      timestamp: clock.now(),
      cpuUsageCoreNanoSeconds: Math.round(cpuMicros * 1000),
      memoryWorkingSetBytes: used,
      memoryAvailableBytes: Math.max(0, hardware.memoryBytes - used),
      pids: pressed.has('pid') ? hardware.maxPids : pids,
    };
  };
  return {
    kind: 'sim',
    runtime,
    images,
    files: {
      ...disk.files,
      async capacity(path) {
        const measured = await disk.files.capacity(path);
        return pressed.has('disk') ? { ...measured, freeBytes: 0 } : measured;
      },
    },
    dialer: { connect: (to, port, signal) => abortable(dial(to, port), signal) },
    machine: async () => machine(),
    usage: async () => usage(),
    press(what, on) {
      if (on) pressed.add(what);
      else pressed.delete(what);
    },
    savedDisk: () => saveDisk(disk.space.root),
    powerOff() {
      runtime.powerOff();
      network.removeNamespace(host);
    },
    powerOn() {
      boot.id = randomUuid(random);
      boot.at = clock.now();
      network.restoreNamespace(host);
    },
    async close() {
      runtime.powerOff();
      network.removeNamespace(host);
    },
  };
}

function writeSystemFiles(
  { files }: SimNodeFiles,
  name: string,
  address: string,
  nameservers: readonly string[],
): void {
  const texts: Readonly<Record<string, string>> = {
    '/etc/hostname': `${name}\n`,
    '/etc/hosts': `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${address}\t${name}\n`,
    '/etc/resolv.conf': nameservers.map((server) => `nameserver ${server}\n`).join(''),
    '/etc/os-release': 'PRETTY_NAME="coracle simulated node"\nNAME="coracle"\nID=coracle\n',
  };
  for (const [path, text] of Object.entries(texts)) void files.write(path, text, 0o644);
}

/** The connection, unless the signal comes first; then a connection that comes later is closed. */
function abortable(dialing: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new SysError('ETIMEDOUT'));
      dialing.then(
        (late) => late.destroy(),
        () => undefined,
      );
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    dialing.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
