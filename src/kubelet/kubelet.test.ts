import { afterEach, describe, expect, it } from 'vitest';
import { nodes, pods } from '../api/generated/resources.ts';
import type { V1PodSpec } from '../api/generated/types.ts';
import { createSimNodeFiles } from '../runtime/sim/vfs/sim-node-files.ts';
import { type Bench, type BenchOptions, startBench } from './testing/bench.ts';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.life.end();
  bench = undefined;
});
const setup = async (more: Partial<BenchOptions> = {}): Promise<Bench> => {
  bench = await startBench({ makeFiles: (now) => createSimNodeFiles(now, 2 ** 40).files, ...more });
  return bench;
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
    expect(await b.files.list('/var/lib/kubelet/pods')).toEqual([]);
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
});
