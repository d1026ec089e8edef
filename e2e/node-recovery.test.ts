import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeCgroup } from '../src/cluster/real-node.ts';
import { cgroups } from '../src/runtime/cri/cgroups.ts';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';

const pod = (name: string, command: string): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: main, image: "${image}", command: [sh, -c, ${JSON.stringify(command)}], ports: [{ containerPort: 80, hostPort: 18080 }], volumeMounts: [{ name: v, mountPath: /v }] }
  volumes: [{ name: v, emptyDir: { medium: Memory } }]
`;

describe.skipIf(missing !== '')(`a node that loses parts of itself${missing && ` (left out: ${missing})`}`, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'coracle-lost-'));
  let cluster: TestCluster;
  const start = async (): Promise<void> => {
    cluster = await startTestCluster({ args: ['--runtime', 'containerd'], dataDir });
  };
  const identity = async (name: string): Promise<string> =>
    cluster.ok(
      'get',
      'pod',
      name,
      '-o',
      'jsonpath={.status.phase} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}',
    );
  const daemon = (): number => Number(readFileSync(join(dataDir, 'node', 'containerd', 'containerd.pid'), 'utf8'));
  const ready = 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")]}';

  beforeAll(async () => {
    await start();
    await loadBusybox(cluster, image);
    await cluster.ok('wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
    await cluster.apply(pod('kept', 'sleep 9999'));
    await cluster.ok('wait', '--for=condition=Ready', 'pod/kept', '--timeout=30s');
  }, 90_000);
  afterAll(async () => {
    if (existsSync(dataDir)) {
      await cluster.stop();
      await cluster.coracle('down', '--purge', '--data-dir', dataDir);
    }
  }, 60_000);

  it('containers go on when the cluster stops and starts, and when it is killed', { timeout: 60_000 }, async () => {
    const before = await identity('kept');
    expect(await cluster.stop()).toBe(0);
    await start();
    expect(await identity('kept')).toBe(before);
    expect(await cluster.ok('exec', 'kept', '--', 'echo', 'here')).toBe('here\n');
    await cluster.stop('SIGKILL');
    await start();
    await cluster.ok('wait', '--for=condition=Ready', 'pod/kept', '--timeout=30s');
    expect(await identity('kept')).toBe(before);
  });

  it('containers go on when containerd is killed; it comes back, and what ended meanwhile is noticed', {
    timeout: 60_000,
  }, async () => {
    const before = await identity('kept');
    await cluster.apply(pod('ends', 'sleep 9999').replace(/ports: \[.*?\], /, ''));
    await cluster.ok('wait', '--for=condition=Ready', 'pod/ends', '--timeout=30s');
    const uid = await cluster.ok('get', 'pod', 'ends', '-o', 'jsonpath={.metadata.uid}');
    const group = `${nodeCgroup(dataDir)}/kubepods/besteffort/pod${uid}`;
    const old = daemon();
    process.kill(old, 'SIGKILL');
    for (const pid of await cgroups().processes(group))
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep')) process.kill(pid, 'SIGKILL');
    await cluster.until(
      ['get', 'pod', 'ends', '-o', 'jsonpath={.status.containerStatuses[0].restartCount} {.status.phase}'],
      (out) => out === '1 Running',
      40_000,
    );
    expect(daemon()).not.toBe(old);
    expect(await identity('kept')).toBe(before);
    expect(await cluster.ok('exec', 'kept', '--', 'echo', 'here')).toBe('here\n');
    await cluster.ok('delete', 'pod', 'ends');
  });

  it('a runtime that hangs makes the node NotReady, until it answers again', { timeout: 120_000 }, async () => {
    const before = await identity('kept');
    process.kill(daemon(), 'SIGSTOP');
    try {
      const condition = await cluster.until(['get', 'nodes', '-o', ready], (out) => out.includes('"False"'), 80_000);
      expect(condition).toMatch(/"message":"\[?container runtime is down/);
      expect(condition).toContain('"reason":"KubeletNotReady"');
    } finally {
      process.kill(daemon(), 'SIGCONT');
    }
    await cluster.until(['get', 'nodes', '-o', ready], (out) => out.includes('"True"'), 40_000);
    expect(await identity('kept')).toBe(before);
  });

  it('down --purge leaves nothing behind, even when containerd has died', { timeout: 90_000 }, async () => {
    const group = nodeCgroup(dataDir);
    const pids = await cgroups().processes(group);
    expect(pids.length).toBeGreaterThan(0);
    const namespaces = new Set(pids.map((pid) => /\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]));
    const held = readdirSync('/var/run/netns').filter((name) =>
      namespaces.has(String(statSync(join('/var/run/netns', name), { throwIfNoEntry: false })?.ino)),
    );
    expect(held.some((name) => name.startsWith('cni-'))).toBe(true);
    await cluster.stop();
    process.kill(daemon(), 'SIGKILL');
    const { code, stderr } = await cluster.coracle('down', '--purge', '--data-dir', dataDir);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(existsSync(dataDir)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(dataDir);
    expect(held.filter((name) => name.startsWith('cni-') && existsSync(join('/var/run/netns', name)))).toEqual([]);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(running.split('\n').filter((line) => line.includes(dataDir))).toEqual([]);
    const groups = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-name', group.slice(1)], {
      encoding: 'utf8',
    });
    expect(groups).toBe('');
    const links = execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' });
    expect(links).not.toMatch(/cni0|coracle0/);
    const tables = execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });
    expect(tables).not.toMatch(/coracle|kube/);
  });
});
