import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep, systemClock } from '../base/clock.ts';
import { masqueradeTable } from '../network/node/masquerade.ts';
import { routeProtocol } from '../network/node/routes.ts';
import { policyTable } from '../network/policy/nftables.ts';
import { tableName } from '../network/proxy/nftables.ts';
import { cgroups } from '../runtime/cri/cgroups.ts';
import { openChannel } from '../runtime/cri/channel.ts';
import { containerdPaths } from '../runtime/cri/containerd-config.ts';
import { startDaemon, untilServing } from '../runtime/cri/containerd-node.ts';
import { detectContainerd } from '../runtime/cri/detect-containerd.ts';
import { diskFiles } from '../runtime/cri/disk-files.ts';
import { criRuntimeService } from '../runtime/cri/runtime-service.ts';
import { networkMark } from './node-network.ts';
import { nodeCgroup } from './real-node.ts';

const run = promisify(execFile);
/** Sandboxes that are taken down side by side. */
const atOnce = 4;
/** Whether our daemon lives: a zombie has no command line, and another process may have got its number since. */
const daemonLives = (pid: number, dir: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir);
  } catch {
    // Gone, or gone while we looked.
    return false;
  }
};

/** Stops the pods and the daemon of a node below `dir`. */
async function stopContainerd(dir: string): Promise<void> {
  const paths = containerdPaths(dir);
  const pidFile = join(dir, 'containerd.pid');
  if (!existsSync(pidFile)) return;
  let pid = Number(await readFile(pidFile, 'utf8'));
  if (!daemonLives(pid, dir)) {
    // Pods outlive a daemon that died: only a daemon can take them down in order.
    const detection = await detectContainerd(process.env);
    if (!detection.usable) return;
    pid = await startDaemon({ dir, parts: detection.parts, clock: systemClock });
  }
  const channel = await openChannel(paths.socket);
  await untilServing(channel, systemClock);
  const runtime = criRuntimeService(channel, systemClock);
  const sandboxes = (await runtime.listPodSandbox()).map((it) => it.id);
  const remove = async (): Promise<void> => {
    for (let id = sandboxes.pop(); id !== undefined; id = sandboxes.pop()) {
      await runtime.stopPodSandbox(id);
      await runtime.removePodSandbox(id);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, remove));
  channel.close();
  process.kill(pid, 'SIGTERM');
  for (let i = 0; i < 200 && daemonLives(pid, dir); i++) await sleep(systemClock, 50);
  if (daemonLives(pid, dir)) process.kill(pid, 'SIGKILL');
}

/** What may fail because it is not there. */
async function unlessAbsent(file: string, args: readonly string[]): Promise<void> {
  try {
    await run(file, [...args]);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    if (!/Cannot find device|No such file or directory|does not exist/.test(said)) throw error;
  }
}

/** Removes everything that a cluster on `dataDir` made on this machine: pods, daemon, mounts, bridges, rules, files. */
export async function purge(dataDir: string): Promise<void> {
  const node = join(dataDir, 'node');
  if (existsSync(node)) {
    await stopContainerd(join(node, 'containerd'));
    await diskFiles().unmount(node);
    await cgroups().remove(nodeCgroup(dataDir));
  }
  // Another cluster's network on this machine is not ours to take away.
  if (existsSync(networkMark(node))) {
    for (const link of ['cni0', 'coracle0']) await unlessAbsent('ip', ['link', 'del', link]);
    for (const family of ['-4', '-6']) await unlessAbsent('ip', [family, 'route', 'flush', 'proto', routeProtocol]);
    const tables = [
      ['ip', tableName],
      ['ip6', tableName],
      ['inet', policyTable],
      ['inet', masqueradeTable],
    ];
    for (const [family = '', name = ''] of tables) await unlessAbsent('nft', ['delete', 'table', family, name]);
  }
  await rm(dataDir, { recursive: true, force: true });
}
