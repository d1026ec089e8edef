import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../base/clock.ts';
import type { ContainerConfig, ContainerEvent, ContainerStatus, PodSandboxConfig } from './cri.ts';
import type { NodeRuntime } from './node-runtime.ts';

/** A node to try, with its pod network up. */
export interface ConformanceTarget {
  readonly node: NodeRuntime;
  /** An image there with a busybox. */
  readonly image: string;
  /** A directory of the node's files for logs and volumes. */
  readonly dir: string;
  /** What addresses of pods begin with. */
  readonly podAddress: RegExp;
}

const profile = { profileType: 'Unconfined', localhostRef: '' } as const;
const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const;
const all = { stdin: true, stdout: true, stderr: true, tty: false } as const;

/** What every runtime does alike: the kubelet relies on each of these. `get` is asked inside of tests. */
export function runtimeConformance(get: () => ConformanceTarget): void {
  let made: string[] = [];
  let serial = 0;
  const runtime = (): NodeRuntime['runtime'] => get().node.runtime;

  afterEach(async () => {
    for (const id of made) {
      await runtime().stopPodSandbox(id);
      await runtime().removePodSandbox(id);
    }
    made = [];
  });

  const sandboxConfig = (more: Partial<PodSandboxConfig> = {}): PodSandboxConfig => {
    const name = `pod-${++serial}`;
    return {
      metadata: { name, uid: `uid-${name}`, namespace: 'default', attempt: 0 },
      hostname: name,
      logDirectory: `${get().dir}/logs/${name}`,
      dnsConfig: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] },
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
      ...more,
    };
  };
  type Security = Partial<ContainerConfig['linux']['securityContext']>;
  const containerConfig = (
    command: readonly string[],
    more: Partial<ContainerConfig> = {},
    security: Security = {},
    resources: ContainerConfig['linux']['resources'] = {},
  ): ContainerConfig => ({
    metadata: { name: `c-${++serial}`, attempt: 0 },
    image: { image: get().image },
    command,
    args: [],
    workingDir: '',
    envs: [{ key: 'GREETING', value: 'ahoy' }],
    mounts: [],
    devices: [],
    labels: { app: 'conformance' },
    annotations: {},
    logPath: `${serial}.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    linux: {
      resources,
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
        ...security,
      },
    },
    ...more,
  });
  const pod = async (more: Partial<PodSandboxConfig> = {}): Promise<{ id: string; config: PodSandboxConfig }> => {
    const config = sandboxConfig(more);
    await get().node.files.mkdir(config.logDirectory, 0o755);
    const id = await runtime().runPodSandbox(config, '');
    made.push(id);
    return { id, config };
  };
  const started = async (
    config: ContainerConfig,
    inside?: { id: string; config: PodSandboxConfig },
  ): Promise<{ id: string; sandbox: string }> => {
    const home = inside ?? (await pod());
    const id = await runtime().createContainer(home.id, config, home.config);
    await runtime().startContainer(id);
    return { id, sandbox: home.id };
  };
  const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(systemClock, 10);
    }
  };
  const ended = (id: string): Promise<ContainerStatus> =>
    until(async () => {
      const status = await runtime().containerStatus(id);
      return status.state === 'EXITED' ? status : undefined;
    });
  const logOf = async (id: string): Promise<string> => {
    const { logPath } = await runtime().containerStatus(id);
    const content = (await get().node.files.read(logPath)).toString();
    return content.replace(/^\S+ (stdout|stderr) [FP] /gm, '');
  };
  const logged = (id: string, wanted: RegExp): Promise<string> =>
    until(async () => {
      const said = await logOf(id);
      return wanted.test(said) ? said : undefined;
    });
  const run = async (
    command: string,
    more: Partial<ContainerConfig> = {},
    security: Security = {},
  ): Promise<string> => {
    const { id } = await started(containerConfig(['sh', '-c', command], more, security));
    await ended(id);
    return logOf(id);
  };
  const sh = async (id: string, command: string): Promise<string> =>
    (await runtime().execSync(id, ['sh', '-c', command], 10)).stdout.toString();

  describe('a pod', () => {
    it('has an address, keeps its containers apart from others, and is gone when removed', async () => {
      const { id, config } = await pod();
      const status = await runtime().podSandboxStatus(id);
      expect(status).toMatchObject({ id, state: 'READY', metadata: config.metadata, labels: config.labels });
      expect(status.ips[0]).toMatch(get().podAddress);
      const { id: container } = await started(containerConfig(['sleep', '1000']), { id, config });
      const listed = await runtime().listContainers({ podSandboxId: id });
      expect(listed.map((it) => [it.id, it.state, it.podSandboxId])).toEqual([[container, 'RUNNING', id]]);
      await runtime().stopPodSandbox(id);
      expect((await runtime().podSandboxStatus(id)).state).toBe('NOTREADY');
      expect(await runtime().containerStatus(container)).toMatchObject({ state: 'EXITED', exitCode: 137 });
      await runtime().stopPodSandbox(id);
      await runtime().removePodSandbox(id);
      await runtime().removePodSandbox(id);
      await expect(runtime().podSandboxStatus(id)).rejects.toMatchObject({ code: 'NotFound' });
      await expect(runtime().containerStatus(container)).rejects.toMatchObject({ code: 'NotFound' });
      expect(await runtime().listPodSandbox({ id })).toEqual([]);
    });

    it('gives its containers one network and one host name', async () => {
      const home = await pod();
      const server = await started(
        containerConfig(['sh', '-c', 'while true; do echo shared | nc -l -p 7000; done']),
        home,
      );
      const client = await started(containerConfig(['sleep', '1000']), home);
      expect(await until(async () => (await sh(client.id, 'nc 127.0.0.1 7000 </dev/null')) || undefined)).toBe(
        'shared\n',
      );
      expect(await sh(client.id, 'hostname')).toBe(`${home.config.hostname}\n`);
      expect(await sh(server.id, 'hostname')).toBe(`${home.config.hostname}\n`);
    });

    it('has the name servers that were asked for', async () => {
      const { id } = await started(containerConfig(['sleep', '1000']));
      expect(await sh(id, 'cat /etc/resolv.conf')).toBe(
        'search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
      );
    });

    it('forwards connections to its ports', async () => {
      const { sandbox } = await started(
        containerConfig(['sh', '-c', 'while true; do echo hello from the pod | nc -l -p 7001; done']),
      );
      const read = async (): Promise<string | undefined> => {
        const stream = await runtime()
          .portForward(sandbox, 7001)
          .catch(() => undefined);
        return stream && ((await text(stream).catch(() => '')) || undefined);
      };
      expect(await until(read)).toBe('hello from the pod\n');
      const refused = async (): Promise<string> => text(await runtime().portForward(sandbox, 7002));
      expect(await refused().catch((error: Error) => error.message)).toMatch(
        /^$|failed to connect to localhost:7002.*connection refused/,
      );
    });
  });

  describe('a container', () => {
    it('runs, logs line by line, passes its exit code on, and tells of it', async () => {
      const controller = new AbortController();
      const events: ContainerEvent[] = [];
      const reading = (async () => {
        for await (const event of runtime().events(controller.signal)) events.push(event);
      })();
      const config = containerConfig(['sh', '-c', 'echo $GREETING; echo bad >&2; exit 5']);
      const home = await pod();
      const { id } = await started(config, home);
      const status = await ended(id);
      expect(status).toMatchObject({ exitCode: 5, reason: 'Error', podSandboxId: home.id, metadata: config.metadata });
      expect(status.finishedAt).toBeGreaterThanOrEqual(status.startedAt);
      const log = (await get().node.files.read(status.logPath)).toString();
      expect(log).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\S+ stdout F ahoy\n/m);
      expect(log).toMatch(/ stderr F bad\n/);
      const of = (): ContainerEvent[] => events.filter((event) => event.containerId === id);
      await until(async () => of().some((event) => event.type === 'STOPPED') || undefined);
      controller.abort();
      await reading;
      expect(of().map((event) => event.type)).toEqual(expect.arrayContaining(['STARTED', 'STOPPED']));
      expect(of()[0]).toMatchObject({ podSandboxId: home.id, podUid: home.config.metadata.uid });
    });

    it('that ends with 0 is Completed', async () => {
      const { id } = await started(containerConfig(['sh', '-c', 'exit 0']));
      expect(await ended(id)).toMatchObject({ exitCode: 0, reason: 'Completed' });
    });

    it('stops by its signal when it handles it', async () => {
      const { id } = await started(
        containerConfig(['sh', '-c', 'trap "echo bye; exit 7" TERM; echo up; while true; do sleep 0.05; done']),
      );
      await logged(id, /up/);
      await runtime().stopContainer(id, 10);
      expect(await runtime().containerStatus(id)).toMatchObject({ state: 'EXITED', exitCode: 7 });
      expect(await logOf(id)).toBe('up\nbye\n');
    });

    it('is killed after its grace when it does not', async () => {
      const { id } = await started(containerConfig(['sleep', '1000']));
      await runtime().stopContainer(id, 1);
      expect(await runtime().containerStatus(id)).toMatchObject({ state: 'EXITED', exitCode: 137, reason: 'Error' });
    });

    it('takes its children with it', async () => {
      const { id } = await started(containerConfig(['sh', '-c', 'sleep 1000 & echo started; exit 0']));
      expect(await ended(id)).toMatchObject({ exitCode: 0 });
      await expect(runtime().execSync(id, ['true'], 5)).rejects.toThrow(/CONTAINER_EXITED/);
    });

    it('dies of more memory than its limit', async () => {
      const { id } = await started(
        containerConfig(['sh', '-c', 'tail /dev/zero'], {}, {}, { memoryLimitInBytes: 16 << 20 }),
      );
      expect(await ended(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    });

    it('sees files of the node, and may not change what is mounted read-only', async () => {
      const { files } = get().node;
      const dir = `${get().dir}/volume-${++serial}`;
      await files.mkdir(dir, 0o755);
      await files.write(`${dir}/in`, 'from the node', 0o644);
      const mount = { hostPath: dir, propagation: 'PRIVATE' } as const;
      const said = await run('cat /ro/in; echo; echo from the pod > /rw/out; echo no > /ro/out', {
        mounts: [
          { ...mount, containerPath: '/ro', readonly: true },
          { ...mount, containerPath: '/rw', readonly: false },
        ],
      });
      expect(said).toContain('from the node\n');
      expect(said).toContain('Read-only file system');
      expect((await files.read(`${dir}/out`)).toString()).toBe('from the pod\n');
    });

    it('has the working directory, user and groups that were asked for', async () => {
      const security = { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [2000] };
      expect(await run('pwd; id -u; id -g; id -G', { workingDir: '/tmp' }, security)).toMatch(
        /^\/tmp\n1000\n3000\n(3000 2000|2000 3000)\n$/,
      );
    });

    it('has a read-only root where that was asked for', async () => {
      expect(await run('echo x > /file', {}, { readonlyRootfs: true })).toContain('Read-only file system');
    });

    it('is process 1 of its own, and does not see others', async () => {
      expect(await run('echo $$')).toBe('1\n');
    });

    it('goes on logging where it is told after its log was moved away', async () => {
      const { files } = get().node;
      const { id } = await started(containerConfig(['sh', '-c', 'while true; do echo tick; sleep 0.05; done']));
      await logged(id, /tick/);
      const { logPath } = await runtime().containerStatus(id);
      await files.rename(logPath, `${logPath}.old`);
      await runtime().reopenContainerLog(id);
      expect(await logged(id, /tick/)).toContain('tick');
      const size = (await files.stat(`${logPath}.old`))?.size;
      await until(async () => ((await files.stat(logPath))?.size ?? 0) > 100 || undefined);
      expect((await files.stat(`${logPath}.old`))?.size).toBe(size);
    });

    it('is measured', async () => {
      const { id } = await started(containerConfig(['sh', '-c', 'i=0; while true; do i=$((i+1)); done']));
      const stats = await until(async () => {
        const [it] = await runtime().containerStats({ id });
        return it && it.cpuUsageCoreNanoSeconds > 0 ? it : undefined;
      });
      expect(stats).toMatchObject({ id });
      expect(stats.memoryWorkingSetBytes).toBeGreaterThan(0);
    });

    it('gets other limits while it runs', async () => {
      const { id } = await started(
        containerConfig(['sleep', '1000'], {}, {}, { memoryLimitInBytes: 64 << 20, cpuPeriod: 100_000 }),
      );
      await runtime().updateContainerResources(id, { memoryLimitInBytes: 32 << 20 });
      const limit = await sh(
        id,
        'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null',
      );
      expect(limit.trim()).toBe(String(32 << 20));
    });
  });

  describe('a command in a container', () => {
    it('has its own streams and exit code', async () => {
      const { id } = await started(containerConfig(['sleep', '1000']));
      const sync = await runtime().execSync(id, ['sh', '-c', 'echo out; echo err >&2; exit 3'], 5);
      expect([sync.stdout.toString(), sync.stderr.toString(), sync.exitCode]).toEqual(['out\n', 'err\n', 3]);
      const session = await runtime().exec(id, ['sh', '-c', 'cat; exit 4'], all);
      session.stdin?.end('through and through');
      expect(await text(session.stdout ?? Readable.from([]))).toBe('through and through');
      expect(await session.exit).toEqual({ exitCode: 4 });
      session.close();
    });

    it('carries a megabyte both ways', async () => {
      const { id } = await started(containerConfig(['sleep', '1000']));
      const session = await runtime().exec(id, ['cat'], all);
      const block = 'x'.repeat(1 << 20);
      session.stdin?.end(block);
      expect((await text(session.stdout ?? Readable.from([]))).length).toBe(block.length);
      expect(await session.exit).toEqual({ exitCode: 0 });
      session.close();
    });

    it('has a terminal where that was asked for', async () => {
      const { id } = await started(containerConfig(['sleep', '1000']));
      const session = await runtime().exec(id, ['sh'], { ...all, stderr: false, tty: true });
      session.resize(101, 33);
      session.stdin?.write('test -t 0 && echo terminal-$((40+2)); stty size; exit 5\r');
      const said = await text(session.stdout ?? Readable.from([]));
      expect(said).toMatch(/terminal-42\r\n/);
      expect(said).toMatch(/33 101\r\n/);
      expect(await session.exit).toEqual({ exitCode: 5 });
      session.close();
    });

    it('that is not there cannot run, and one that takes too long is ended', async () => {
      const { id } = await started(containerConfig(['sleep', '1000']));
      await expect(runtime().execSync(id, ['nope'], 5)).rejects.toThrow(
        /failed to start exec ".*": .*exec: "nope": executable file not found in \$PATH/,
      );
      await expect(runtime().execSync(id, ['sleep', '10'], 1)).rejects.toMatchObject({
        code: 'DeadlineExceeded',
        message: expect.stringContaining('timeout 1s exceeded'),
      });
    });
  });

  describe('attaching to a container', () => {
    it('reaches its standard input and hears its output', async () => {
      const { id } = await started(
        containerConfig(['sh', '-c', 'read line; echo "got $line"; read line; echo "and $line"'], { stdin: true }),
      );
      const session = await runtime().attach(id, all);
      session.stdin?.write('one\n');
      session.stdin?.write('two\n');
      expect(await text(session.stdout ?? Readable.from([]))).toBe('got one\nand two\n');
      await ended(id);
      expect(await logOf(id)).toBe('got one\nand two\n');
      session.close();
    });
  });

  describe('what cannot start', () => {
    const failing = async (command: readonly string[], wanted: RegExp): Promise<void> => {
      const home = await pod();
      const id = await runtime().createContainer(home.id, containerConfig(command), home.config);
      await expect(runtime().startContainer(id)).rejects.toThrow(wanted);
      const status = await runtime().containerStatus(id);
      expect(status).toMatchObject({ state: 'EXITED', exitCode: 128, reason: 'StartError' });
      expect(status.message).toMatch(wanted);
    };
    const prefix =
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';
    it.each([
      ['a command that is nowhere', ['nginx'], 'exec: "nginx": executable file not found in \\$PATH: unknown'],
      ['a path that is not there', ['/no/such'], 'exec: "/no/such": stat /no/such: no such file or directory: unknown'],
      ['a directory', ['/bin'], 'exec: "/bin": (permission denied|is a directory): unknown'],
    ])('%s', (_, command, words) => failing(command, new RegExp(`${prefix}${words}`)));

    it('an image that is not there', async () => {
      const home = await pod();
      const config = containerConfig(['x'], { image: { image: 'coracle.local/none:1' } });
      await expect(runtime().createContainer(home.id, config, home.config)).rejects.toMatchObject({
        code: 'NotFound',
        message: expect.stringMatching(/failed to resolve image "coracle.local\/none:1".*not found/),
      });
    });

    it('a second container of the same name and attempt', async () => {
      const home = await pod();
      const config = containerConfig(['sleep', '1000']);
      const id = await runtime().createContainer(home.id, config, home.config);
      await expect(runtime().createContainer(home.id, config, home.config)).rejects.toThrow(
        new RegExp(`failed to reserve container name ".*": name ".*" is reserved for "${id}"`),
      );
    });

    it('a user that nobody knows', async () => {
      const home = await pod();
      const config = containerConfig(['sleep', '1'], {}, { runAsUsername: 'somebody' });
      await expect(runtime().createContainer(home.id, config, home.config)).rejects.toThrow(
        /no users found|unable to find user|\/etc\/passwd: no such file/,
      );
    });
  });

  describe('images', () => {
    it('are listed, and absent ones have no status', async () => {
      const { images } = get().node;
      const own = await images.imageStatus({ image: get().image });
      expect(own?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect((await images.listImages()).map((it) => it.id)).toContain(own?.id);
      expect(await images.imageStatus({ image: 'coracle.local/none:1' })).toBeUndefined();
    });

    it('cannot be pulled where nobody answers, nor under a name that is none', async () => {
      const { images } = get().node;
      await expect(
        images.pullImage({ image: '127.0.0.1:5999/x/y:1' }, undefined, sandboxConfig()),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/Unknown|Unavailable/),
        message: expect.stringMatching(
          /failed to pull and unpack image "127.0.0.1:5999\/x\/y:1": failed to resolve reference "127.0.0.1:5999\/x\/y:1": failed to do request: Head "http:\/\/127.0.0.1:5999\/v2\/x\/y\/manifests\/1": dial tcp 127.0.0.1:5999: connect: connection refused/,
        ),
      });
      await expect(images.pullImage({ image: 'UPPER/Bad::x' }, undefined, sandboxConfig())).rejects.toThrow(
        'failed to parse image reference "UPPER/Bad::x": invalid reference format: repository name must be lowercase',
      );
    });
  });
}
