import { afterEach, describe, expect, it } from 'vitest';
import { configmaps, nodes, pods, secrets } from '../api/generated/resources.ts';
import type { V1Pod, V1PodSpec } from '../api/generated/types.ts';
import type { KubeObject } from '../api/resource.ts';
import type { Span } from '../api/trace.ts';
import { type Lifetime, startLifetime } from '../base/lifetime.ts';
import { lineLogger } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import { createInformers } from '../client/informers.ts';
import { CriError } from '../runtime/cri.ts';
import { createSimNodeFiles } from '../runtime/sim/vfs/sim-node-files.ts';
import { startKubelet } from './kubelet.ts';
import { fakeApi } from './testing/fake-api.ts';
import { fakeRuntime } from './testing/fake-runtime.ts';

let lifetime: Lifetime | undefined;
afterEach(async () => {
  await lifetime?.end();
  lifetime = undefined;
});

interface RecordedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly object: string;
}

const setup = async (
  more: {
    staticPodDir?: string;
    before?: (bench: { files: ReturnType<typeof createSimNodeFiles> }) => Promise<void>;
  } = {},
) => {
  const clock = virtualClock();
  const errors: unknown[] = [];
  const life = startLifetime((error) => errors.push(error));
  lifetime = life;
  const log = lineLogger('warn', (line) => process.env['DEBUG'] && console.log(line));
  const api = fakeApi(clock);
  const files = createSimNodeFiles(() => clock.now(), 2 ** 40);
  const runtime = fakeRuntime({ clock, files: files.files, nodeName: 'n1' });
  runtime.registry.set('busybox:1', { sizeBytes: 1000 });
  const events: RecordedEvent[] = [];
  const spans: Span[] = [];
  await more.before?.({ files });
  const informers = createInformers({ client: api.client, clock, log, signal: life.signal });
  const starting = startKubelet({
    nodeName: 'n1',
    runtime,
    client: api.client,
    informers,
    events: {
      event: (object: KubeObject, type, reason, message) =>
        events.push({ type, reason, message, object: object.metadata?.name ?? '' }),
      flush: () => Promise.resolve(),
    },
    clock,
    random: seededRandom(1),
    log,
    spans: { record: (span) => spans.push(span) },
    clusterDns: ['10.96.0.10'],
    lifetime: life,
    ...(more.staticPodDir !== undefined && { staticPodDir: more.staticPodDir }),
  });
  const kubelet = await starting;
  const run = async (ms = 1) => {
    await clock.advance(ms);
    for (let i = 0; i < 10; i++) await clock.advance(0);
  };
  /** Advances time until the condition holds, at most `seconds`. */
  const until = async (condition: () => unknown, seconds = 60) => {
    for (let i = 0; i < seconds * 10; i++) {
      if (condition()) return;
      await clock.advance(100);
    }
    throw new Error(`the condition did not come: ${condition}`);
  };
  const create = (name: string, spec: Partial<V1PodSpec>, meta: V1Pod['metadata'] = {}) =>
    api.put(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'ns', uid: `uid-${name}`, ...meta },
      spec: {
        nodeName: 'n1',
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        enableServiceLinks: true,
        containers: [{ name: 'app', image: 'busybox:1', imagePullPolicy: 'IfNotPresent' }],
        ...spec,
      },
      status: { phase: 'Pending' },
    } as V1Pod);
  const pod = (name: string) => api.get(pods, 'ns', name);
  const container = (name: string, c = 'app') => pod(name)?.status?.containerStatuses?.find((it) => it.name === c);
  const said = (reason: string) => events.filter((it) => it.reason === reason).map((it) => it.message);
  return { clock, api, files, runtime, events, spans, kubelet, run, until, create, pod, container, said, errors, life };
};

describe('kubelet', () => {
  it('registers its node and says so', async () => {
    const b = await setup();
    const node = b.api.get(nodes, '', 'n1');
    expect(node?.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1', 'kubernetes.io/os': 'linux' });
    expect(node?.status?.capacity).toMatchObject({ cpu: '4', memory: '8388608Ki', pods: '110' });
    expect(node?.status?.conditions?.map((it) => [it.type, it.status, it.reason])).toEqual([
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
      ['Ready', 'True', 'KubeletReady'],
    ]);
    expect(b.said('Starting')).toEqual(['Starting kubelet.']);
    b.runtime.conditions.network = false;
    await b.until(
      () => b.api.get(nodes, '', 'n1')?.status?.conditions?.find((it) => it.type === 'Ready')?.status === 'False',
    );
    expect(b.api.get(nodes, '', 'n1')?.status?.conditions?.find((it) => it.type === 'Ready')?.message).toBe(
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
    );
    expect(b.said('NodeNotReady')).toEqual(['Node n1 status is now: NodeNotReady']);
  });

  it('brings a pod to life with upstream events and conditions', async () => {
    const b = await setup();
    b.create('web', {});
    await b.until(() => b.pod('web')?.status?.phase === 'Running');
    await b.run();
    expect(b.runtime.transcript).toEqual(['run-sandbox web#0', 'pull busybox:1', 'create app#0', 'start app#0']);
    expect(b.events.filter((it) => it.object === 'web').map((it) => `${it.reason}: ${it.message}`)).toEqual([
      'Pulling: Pulling image "busybox:1"',
      'Pulled: Successfully pulled image "busybox:1" in 0s (0s including waiting). Image size: 1000 bytes.',
      'Created: Container created',
      'Started: Container started',
    ]);
    const status = b.pod('web')?.status;
    expect(status).toMatchObject({
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      hostIP: '192.168.0.10',
      qosClass: 'BestEffort',
    });
    expect(status?.conditions?.map((it) => `${it.type}=${it.status}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
    expect(b.container('web')).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      image: 'busybox:1',
      containerID: 'fake://container-2',
    });
    expect(new Set(b.spans.map((it) => it.step))).toEqual(new Set(['kubelet', 'runtime', 'network', 'status']));
    const config = b.runtime.configs;
    expect(config).toBeDefined();
  });

  it('is quiet when nothing happens', async () => {
    const b = await setup();
    b.create('web', {});
    await b.until(() => b.container('web')?.ready);
    await b.clock.advance(20_000);
    const before = b.api.patches.length;
    await b.clock.advance(200_000);
    expect(b.api.patches.length - before).toBe(0);
    expect(b.clock.pending()).toBeLessThan(6);
  });

  it('backs off a container that keeps ending', async () => {
    const b = await setup();
    b.runtime.behaviours.set('app', { exitAfter: 100, exitCode: 1 });
    b.create('crash', {});
    await b.until(() => b.container('crash')?.state?.waiting?.reason === 'CrashLoopBackOff');
    expect(b.container('crash')).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    });
    expect(b.container('crash')?.state?.waiting?.message).toBe(
      'back-off 10s restarting failed container=app pod=crash_ns(uid-crash)',
    );
    expect(b.said('BackOff')[0]).toBe('Back-off restarting failed container app in pod crash_ns(uid-crash)');
    expect(b.pod('crash')?.status?.conditions?.find((it) => it.type === 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
    await b.until(() => b.container('crash')?.state?.waiting?.message?.startsWith('back-off 20s'));
    await b.until(() => b.container('crash')?.state?.waiting?.message?.startsWith('back-off 40s'));
    await b.until(() => b.container('crash')?.state?.waiting?.message?.startsWith('back-off 1m20s'), 100);
    expect(b.container('crash')?.restartCount).toBe(4);
    // Only the last dead container is kept beside the newest.
    expect(b.runtime.transcript.filter((it) => it.startsWith('remove '))).not.toEqual([]);
  });

  it('tells why an image cannot be had', async () => {
    const b = await setup();
    b.create('img', { containers: [{ name: 'app', image: 'nope:1' }] });
    await b.until(() => b.container('img')?.state?.waiting?.reason === 'ErrImagePull');
    expect(b.container('img')?.state?.waiting?.message).toBe(
      'rpc error: code = NotFound desc = failed to pull and unpack image "nope:1": failed to resolve reference "nope:1": nope:1: not found',
    );
    await b.until(() => b.container('img')?.state?.waiting?.reason === 'ImagePullBackOff');
    expect(b.container('img')?.state?.waiting?.message).toBe(
      'Back-off pulling image "nope:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "nope:1": failed to resolve reference "nope:1": nope:1: not found',
    );
    expect(b.said('Failed').slice(0, 3)).toEqual([
      'Failed to pull image "nope:1": rpc error: code = NotFound desc = failed to pull and unpack image "nope:1": failed to resolve reference "nope:1": nope:1: not found',
      'Error: ErrImagePull',
      'Error: ImagePullBackOff',
    ]);
    expect(b.said('BackOff')).toEqual(['Back-off pulling image "nope:1"']);
    b.runtime.registry.set('nope:1', { sizeBytes: 5 });
    await b.until(() => b.pod('img')?.status?.phase === 'Running');
  });

  const configFailures: [string, Partial<V1PodSpec>, string, string][] = [
    [
      'missing config map',
      {
        containers: [
          {
            name: 'app',
            image: 'busybox:1',
            env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }],
          },
        ],
      },
      'CreateContainerConfigError',
      'configmap "cm" not found',
    ],
    [
      'root although not allowed',
      { containers: [{ name: 'app', image: 'busybox:1', securityContext: { runAsNonRoot: true } }] },
      'CreateContainerConfigError',
      'container has runAsNonRoot and image will run as root (pod: "p_ns(uid-p)", container: app)',
    ],
    [
      'never pulled',
      { containers: [{ name: 'app', image: 'busybox:1', imagePullPolicy: 'Never' }] },
      'ErrImageNeverPull',
      'Container image "busybox:1" is not present with pull policy of Never',
    ],
    [
      'bad name',
      { containers: [{ name: 'app', image: 'Bad::x' }] },
      'InvalidImageName',
      'Failed to apply default image tag "Bad::x": couldn\'t parse image name "Bad::x": invalid reference format: repository name (library/Bad) must be lowercase',
    ],
  ];
  it.each(configFailures)('%s', async (_, spec, reason, message) => {
    const b = await setup();
    b.create('p', spec);
    await b.until(() => b.container('p')?.state?.waiting?.reason === reason);
    expect(b.container('p')?.state?.waiting?.message).toBe(message);
  });

  it('reports a command that cannot start', async () => {
    const b = await setup();
    b.runtime.behaviours.set('app', { startError: 'exec: "nope": executable file not found in $PATH: unknown' });
    b.create('p', {});
    await b.until(() => b.container('p')?.state?.waiting?.reason === 'RunContainerError');
    expect(b.said('Failed')).toContain('Error: exec: "nope": executable file not found in $PATH: unknown');
    await b.until(() => b.container('p')?.state?.waiting?.reason === 'CrashLoopBackOff');
    expect(b.container('p')?.lastState?.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
  });

  it('runs init containers, then a job to its end', async () => {
    const b = await setup();
    b.runtime.behaviours.set('init', { exitAfter: 50 });
    b.runtime.behaviours.set('app', { exitAfter: 50, message: 'all done' });
    b.create('job', { restartPolicy: 'Never', initContainers: [{ name: 'init', image: 'busybox:1' }] });
    await b.until(() => b.pod('job')?.status?.phase === 'Succeeded');
    await b.run();
    expect(b.container('job')?.state?.terminated).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
      message: 'all done',
    });
    expect(b.pod('job')?.status?.conditions?.map((it) => [it.type, it.status, it.reason])).toEqual([
      ['PodReadyToStartContainers', 'False', undefined],
      ['Initialized', 'True', 'PodCompleted'],
      ['Ready', 'False', 'PodCompleted'],
      ['ContainersReady', 'False', 'PodCompleted'],
      ['PodScheduled', 'True', undefined],
    ]);
    expect(b.pod('job')?.status?.initContainerStatuses?.[0]).toMatchObject({
      ready: true,
      state: { terminated: { exitCode: 0 } },
    });
  });

  it('ends a pod gracefully and deletes its object when all has stopped', async () => {
    const b = await setup();
    b.runtime.behaviours.set('app', { termAfter: 5_000 });
    b.create('web', {
      containers: [{ name: 'app', image: 'busybox:1', lifecycle: { preStop: { sleep: { seconds: 3 } } } }],
    });
    await b.until(() => b.container('web')?.ready);
    b.api.startDelete(pods, 'ns', 'web', 30);
    await b.run();
    expect(b.said('Killing')).toEqual(['Stopping container app']);
    expect(b.pod('web')).toBeDefined();
    await b.until(() => b.pod('web') === undefined);
    await b.run();
    expect(b.runtime.transcript).toContain('stop app#0 27');
    expect(b.runtime.transcript.slice(-3)).toEqual(['stop-sandbox web#0', 'remove app#0', 'remove-sandbox web#0']);
    expect(await b.files.files.list('/var/lib/kubelet/pods')).toEqual([]);
  });

  it('stops sidecars last', async () => {
    const b = await setup();
    b.runtime.behaviours.set('app', { termAfter: 2_000 });
    b.create('web', { initContainers: [{ name: 'side', image: 'busybox:1', restartPolicy: 'Always' }] });
    await b.until(() => b.container('web')?.ready);
    b.api.startDelete(pods, 'ns', 'web', 30);
    await b.until(() => b.pod('web') === undefined);
    expect(b.runtime.transcript.filter((it) => it.startsWith('stop '))).toEqual(['stop app#0 30', 'stop side#0 28']);
  });

  it('refuses what does not fit', async () => {
    const b = await setup();
    b.create('big', { containers: [{ name: 'app', image: 'busybox:1', resources: { requests: { cpu: '8' } } }] });
    await b.until(() => b.pod('big')?.status?.phase === 'Failed');
    expect(b.pod('big')?.status).toMatchObject({
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 8000, used: 0, capacity: 4000",
    });
    b.api.startDelete(pods, 'ns', 'big', 0);
    await b.until(() => b.pod('big') === undefined);
  });

  it('ends a pod that is past its deadline', async () => {
    const b = await setup();
    b.create('late', { activeDeadlineSeconds: 5 });
    await b.until(() => b.container('late')?.ready);
    await b.until(() => b.pod('late')?.status?.phase === 'Failed');
    expect(b.pod('late')?.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  it('restarts what fails its liveness probe, and takes what is not ready out', async () => {
    const b = await setup();
    let healthy = true;
    b.runtime.commands.set('check', async () => ({ exitCode: healthy ? 0 : 1, stdout: 'ill' }));
    const probe = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 1 };
    b.create('web', {
      containers: [
        { name: 'app', image: 'busybox:1', livenessProbe: probe, readinessProbe: { ...probe, failureThreshold: 1 } },
      ],
    });
    await b.until(() => b.container('web')?.ready);
    healthy = false;
    await b.until(() => b.container('web')?.ready === false);
    expect(b.said('Unhealthy')[0]).toMatch(/^(Readiness|Liveness) probe failed: ill$/);
    await b.until(() => b.said('Killing').length > 0);
    expect(b.said('Killing')).toEqual(['Container app failed liveness probe, will be restarted']);
    healthy = true;
    await b.until(() => b.container('web')?.ready && b.container('web')?.restartCount === 1);
  });

  it('says how network probes fail', async () => {
    const b = await setup();
    const base = { periodSeconds: 1, failureThreshold: 100, timeoutSeconds: 1 };
    b.create('web', {
      containers: [
        {
          name: 'app',
          image: 'busybox:1',
          ports: [{ containerPort: 80, name: 'http' }],
          readinessProbe: { ...base, httpGet: { path: '/', port: 'http' } },
          livenessProbe: { ...base, tcpSocket: { port: 81 } },
        },
      ],
    });
    await b.until(() => b.said('Unhealthy').length >= 2);
    const ip = b.pod('web')?.status?.podIP;
    expect(b.said('Unhealthy')).toContain(
      `Readiness probe failed: Get "http://${ip}:80/": dial tcp ${ip}:80: connect: connection refused`,
    );
    expect(b.said('Unhealthy')).toContain(`Liveness probe failed: dial tcp ${ip}:81: connect: connection refused`);
    let code = 500;
    b.runtime.listeners.set(`${ip}:80`, (socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 ${code} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`));
    });
    await b.until(() => b.said('Unhealthy').includes('Readiness probe failed: HTTP probe failed with statuscode: 500'));
    code = 200;
    await b.until(() => b.container('web')?.ready);
  });

  it('mounts volumes, tells what is missing, and keeps config maps up to date', async () => {
    const b = await setup();
    b.create('vol', {
      volumes: [
        { name: 'cfg', configMap: { name: 'cm' } },
        {
          name: 'sa',
          projected: {
            defaultMode: 0o644,
            sources: [
              { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
              { downwardAPI: { items: [{ path: 'ns', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
            ],
          },
        },
        { name: 'tmp', emptyDir: {} },
      ],
      containers: [
        {
          name: 'app',
          image: 'busybox:1',
          volumeMounts: [
            { name: 'cfg', mountPath: '/cfg' },
            { name: 'sa', mountPath: '/sa' },
            { name: 'tmp', mountPath: '/tmp', subPath: 'a/b' },
          ],
        },
      ],
    });
    await b.until(() => b.said('FailedMount').length > 0);
    expect(b.said('FailedMount')[0]).toBe('MountVolume.SetUp failed for volume "cfg" : configmap "cm" not found');
    expect(b.container('vol')?.state?.waiting?.reason).toBe('ContainerCreating');
    b.api.put(configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cm', namespace: 'ns' },
      data: { k: 'one' },
    } as KubeObject);
    await b.until(() => b.container('vol')?.ready);
    const dir = '/var/lib/kubelet/pods/uid-vol/volumes';
    const read = async (path: string) => (await b.files.files.read(`${dir}/${path}`)).toString();
    expect(await read('kubernetes.io~configmap/cfg/k')).toBe('one');
    expect(await read('kubernetes.io~projected/sa/ns')).toBe('ns');
    const token = await read('kubernetes.io~projected/sa/token');
    b.api.put(configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cm', namespace: 'ns' },
      data: { k: 'two', l: 'new' },
    } as KubeObject);
    await b.run(100);
    expect(await read('kubernetes.io~configmap/cfg/k')).toBe('two');
    expect(await read('kubernetes.io~configmap/cfg/l')).toBe('new');
    await b.clock.advance(3_000_000);
    await b.run();
    expect(await read('kubernetes.io~projected/sa/token')).not.toBe(token);
  });

  it('pulls with the credentials that fit', async () => {
    const b = await setup();
    b.runtime.registry.set('reg.example/private/app:1', { sizeBytes: 1, needs: 'secret' });
    const auths = {
      auths: {
        'reg.example/private': { username: 'me', password: 'secret' },
        'other.example': { username: 'x', password: 'y' },
      },
    };
    b.api.put(secrets, {
      metadata: { name: 'pull', namespace: 'ns' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify(auths)).toString('base64') },
    } as KubeObject);
    b.create('priv', {
      imagePullSecrets: [{ name: 'pull' }, { name: 'gone' }],
      containers: [{ name: 'app', image: 'reg.example/private/app:1' }],
    });
    await b.until(() => b.container('priv')?.ready);
    expect(b.runtime.transcript).toContain('pull reg.example/private/app:1 as me');
    expect(b.said('FailedToRetrieveImagePullSecret')[0]).toBe(
      'Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.',
    );
  });

  it('says why there is no sandbox', async () => {
    const b = await setup();
    const run = b.runtime.runtime.runPodSandbox;
    Object.assign(b.runtime.runtime, {
      runPodSandbox: () => Promise.reject(new CriError('Unknown', 'failed to setup network for sandbox: no addresses')),
    });
    b.create('net', {});
    await b.until(() => b.said('FailedCreatePodSandBox').length > 0);
    expect(b.said('FailedCreatePodSandBox')[0]).toBe(
      'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: no addresses',
    );
    Object.assign(b.runtime.runtime, { runPodSandbox: run });
    await b.until(() => b.container('net')?.ready);
  });

  it('resizes in place', async () => {
    const b = await setup();
    const spec = (cpu: string) => ({
      containers: [{ name: 'app', image: 'busybox:1', resources: { requests: { cpu }, limits: { cpu } } }],
    });
    b.create('rs', spec('1'));
    await b.until(() => b.container('rs')?.ready);
    const current = b.pod('rs')!;
    b.api.put(pods, {
      ...current,
      metadata: { ...current.metadata, generation: 2 },
      spec: { ...current.spec, ...spec('2') },
    } as KubeObject);
    await b.until(() => b.runtime.transcript.includes('update app#0 memory=0 quota=200000'));
    await b.run();
    expect(b.container('rs')).toMatchObject({ restartCount: 0, resources: { limits: { cpu: '2' } } });
    expect(b.said('ResizeStarted').length).toBe(1);
    expect(b.said('ResizeCompleted').length).toBe(1);
    const again = b.pod('rs')!;
    b.api.put(pods, {
      ...again,
      metadata: { ...again.metadata, generation: 3 },
      spec: { ...again.spec, ...spec('9') },
    } as KubeObject);
    await b.until(() => b.pod('rs')?.status?.conditions?.some((it) => it.type === 'PodResizePending'));
    expect(b.pod('rs')?.status?.conditions?.find((it) => it.type === 'PodResizePending')).toMatchObject({
      reason: 'Infeasible',
      message: "Node didn't have enough capacity: cpu, requested: 9000, capacity: 4000",
    });
  });

  it('runs static pods and mirrors them', async () => {
    const dir = '/etc/kubernetes/manifests';
    const b = await setup({
      staticPodDir: dir,
      before: async ({ files }) => {
        await files.files.mkdir(dir);
        await files.files.write(
          `${dir}/etcd.yaml`,
          'apiVersion: v1\nkind: Pod\nmetadata: {name: etcd, namespace: kube-system}\nspec: {containers: [{name: app, image: "busybox:1"}]}\n',
        );
      },
    });
    await b.until(() => b.api.get(pods, 'kube-system', 'etcd-n1')?.status?.phase === 'Running');
    const mirror = b.api.get(pods, 'kube-system', 'etcd-n1');
    expect(mirror?.metadata.annotations).toHaveProperty('kubernetes.io/config.mirror');
    expect(mirror?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Node', name: 'n1' });
    b.api.remove(pods, 'kube-system', 'etcd-n1');
    await b.until(() => b.api.get(pods, 'kube-system', 'etcd-n1')?.status?.phase === 'Running');
    await b.files.files.remove(`${dir}/etcd.yaml`);
    await b.until(() => b.api.get(pods, 'kube-system', 'etcd-n1') === undefined, 120);
    await b.until(() => b.runtime.transcript.includes('stop-sandbox etcd-n1#0'));
  });
});
