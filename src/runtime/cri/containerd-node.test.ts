import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { ContainerConfig, ContainerEvent, PodSandboxConfig } from '../cri.ts';
import { type ContainerdNode, containerdNode } from './containerd-node.ts';
import { detectContainerd } from './detect-containerd.ts';
import { imageArchive } from './pause-image.ts';

const detection = await detectContainerd(process.env);
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
});
const missing = detection.usable ? (busybox ? '' : 'busybox-static is not installed') : detection.why;

const profile = { profileType: 'Unconfined', localhostRef: '' } as const;
const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const;

describe.skipIf(missing !== '')(`containerd over CRI${missing && ` (left out: ${missing})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'coracle-cri-'));
  let node: ContainerdNode;
  const sandbox = (name: string): PodSandboxConfig => ({
    metadata: { name, uid: `uid-${name}`, namespace: 'default', attempt: 0 },
    hostname: name,
    logDirectory: join(dir, 'logs', name),
    portMappings: [],
    labels: { 'io.kubernetes.pod.uid': `uid-${name}` },
    annotations: {},
    linux: {
      cgroupParent: '',
      sysctls: {},
      securityContext: {
        namespaceOptions,
        supplementalGroups: [],
        privileged: false,
        seccomp: profile,
        readonlyRootfs: false,
      },
    },
  });
  const container = (
    name: string,
    command: readonly string[],
    more: Partial<ContainerConfig> = {},
  ): ContainerConfig => ({
    metadata: { name, attempt: 0 },
    image: { image: 'coracle.local/busybox:1' },
    command,
    args: [],
    workingDir: '',
    envs: [{ key: 'GREETING', value: 'ahoy' }],
    mounts: [],
    devices: [],
    labels: { 'io.kubernetes.pod.uid': 'uid' },
    annotations: {},
    logPath: `${name}.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    linux: {
      resources: {},
      securityContext: {
        namespaceOptions,
        privileged: false,
        supplementalGroups: [],
        readonlyRootfs: false,
        addCapabilities: [],
        dropCapabilities: [],
        noNewPrivs: false,
        maskedPaths: [],
        readonlyPaths: [],
        seccomp: profile,
      },
    },
    ...more,
  });
  const ended = async (id: string) => {
    for (;;) {
      const status = await node.runtime.containerStatus(id);
      if (status.state === 'EXITED') return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const start = async (pod: string, config: ContainerConfig) => {
    const pods = sandbox(pod);
    mkdirSync(pods.logDirectory, { recursive: true });
    const sandboxId = await node.runtime.runPodSandbox(pods, '');
    const id = await node.runtime.createContainer(sandboxId, config, pods);
    await node.runtime.startContainer(id);
    return { sandboxId, id };
  };

  beforeAll(async () => {
    if (!detection.usable || !busybox) return;
    node = await containerdNode({ dir: join(dir, 'cd'), parts: detection.parts, clock: systemClock });
    await node.writeNetworkConfig(
      '10-test.conflist',
      JSON.stringify({
        cniVersion: '1.0.0',
        name: 'coracle-test',
        plugins: [
          {
            type: 'bridge',
            bridge: 'cortest0',
            isGateway: true,
            ipam: {
              type: 'host-local',
              dataDir: join(dir, 'ipam'),
              ranges: [[{ subnet: '10.199.7.0/24' }]],
              routes: [{ dst: '0.0.0.0/0' }],
            },
          },
        ],
      }),
    );
    const program = readFileSync(busybox);
    const applets = Object.fromEntries(['sh', 'cat', 'sleep', 'echo', 'nc'].map((name) => [`bin/${name}`, program]));
    const archive = await imageArchive('coracle.local/busybox:1', applets, { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] });
    await node.loadImage(archive);
    for (;;) {
      const { conditions } = await node.runtime.status();
      if (conditions.every((condition) => condition.status)) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  afterAll(async () => {
    if (!node) return;
    for (const { id } of await node.runtime.listPodSandbox()) {
      await node.runtime.stopPodSandbox(id);
      await node.runtime.removePodSandbox(id);
    }
    await node.close();
    process.kill(node.pid, 'SIGTERM');
    for (let i = 0; i < 100; i++) {
      try {
        process.kill(node.pid, 0);
      } catch {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await node.files.unmount(dir);
    try {
      execFileSync('ip', ['link', 'del', 'cortest0'], { stdio: 'ignore' });
    } catch {
      // The bridge is only there when a pod had a network.
    }
    rmSync(dir, { recursive: true, force: true });
  });

  it('says what it is', async () => {
    expect(await node.runtime.version()).toMatchObject({ runtimeName: 'containerd', runtimeApiVersion: 'v1' });
  });

  it('runs a pod with an address, logs, environment, exit code and events', async () => {
    const controller = new AbortController();
    const events: ContainerEvent[] = [];
    const reading = (async () => {
      for await (const event of node.runtime.events(controller.signal)) events.push(event);
    })();
    const { sandboxId, id } = await start(
      'one',
      container('main', ['sh', '-c', 'echo $GREETING; echo bad >&2; exit 5']),
    );
    const status = await ended(id);
    expect(status).toMatchObject({ exitCode: 5, reason: 'Error', podSandboxId: sandboxId });
    expect(status.finishedAt).toBeGreaterThan(status.startedAt - 1);
    expect((await node.runtime.podSandboxStatus(sandboxId)).ips[0]).toMatch(/^10\.199\.7\.\d+$/);
    const log = (await node.files.read(status.logPath)).toString();
    expect(log).toMatch(/ stdout F ahoy\n/);
    expect(log).toMatch(/ stderr F bad\n/);
    while (!events.some((event) => event.type === 'STOPPED' && event.containerId === id))
      await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    await reading;
    expect(events.find((event) => event.containerId === id)).toMatchObject({
      podSandboxId: sandboxId,
      podUid: 'uid-one',
    });
  });

  it('executes commands with their streams, and passes exit codes on', async () => {
    const { id } = await start('two', container('main', ['sleep', '1000']));
    const sync = await node.runtime.execSync(id, ['sh', '-c', 'echo out; echo err >&2; exit 3'], 5);
    expect([sync.stdout.toString(), sync.stderr.toString(), sync.exitCode]).toEqual(['out\n', 'err\n', 3]);
    const session = await node.runtime.exec(id, ['sh', '-c', 'cat; exit 4'], {
      stdin: true,
      stdout: true,
      stderr: true,
      tty: false,
    });
    session.stdin?.end('through and through');
    expect(await text(session.stdout!)).toBe('through and through');
    expect(await session.exit).toEqual({ exitCode: 4 });
    session.close();
    await expect(node.runtime.execSync(id, ['nope'], 5)).rejects.toThrow(/executable file not found/);
    await expect(node.runtime.execSync(id, ['sleep', '10'], 1)).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  });

  it('forwards a port into the pod', async () => {
    const { sandboxId } = await start(
      'three',
      container('main', ['sh', '-c', 'while true; do echo hello from the pod | nc -l -p 7000; done']),
    );
    const read = async (): Promise<string> => {
      const stream = await node.runtime.portForward(sandboxId, 7000);
      const got = text(stream).catch(() => '');
      return got;
    };
    let said = '';
    for (let i = 0; i < 50 && said === ''; i++) said = await read();
    expect(said).toBe('hello from the pod\n');
  });

  it('reports what cannot start as containerd does', async () => {
    const config = sandbox('four');
    mkdirSync(config.logDirectory, { recursive: true });
    const sandboxId = await node.runtime.runPodSandbox(config, '');
    const id = await node.runtime.createContainer(sandboxId, container('main', ['nginx']), config);
    await expect(node.runtime.startContainer(id)).rejects.toThrow(/exec: "nginx": executable file not found in \$PATH/);
    expect(await node.runtime.containerStatus(id)).toMatchObject({
      state: 'EXITED',
      exitCode: 128,
      reason: 'StartError',
    });
    await expect(
      node.runtime.createContainer(
        sandboxId,
        container('other', ['x'], { image: { image: 'coracle.local/none:1' } }),
        config,
      ),
    ).rejects.toMatchObject({ code: 'NotFound' });
  });
});
