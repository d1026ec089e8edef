import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './harness.ts';

const pod = (name: string, container: string, rest = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: main, ${container} }
${rest}`;

describe('the classic pod failures with the real kubectl', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster?.dispose());

  const status = (name: string, wanted: RegExp, timeoutMs = 40_000): Promise<string> =>
    cluster.until(['get', 'pod', name, '--no-headers'], (out) => wanted.test(out), timeoutMs);
  const described = (name: string): Promise<string> => cluster.ok('describe', 'pod', name);

  it('a wrong image: ErrImagePull, then ImagePullBackOff', async () => {
    await cluster.apply(pod('wrong-image', 'image: "nginx:no-such-tag"'));
    await status('wrong-image', /ErrImagePull|ImagePullBackOff/);
    await status('wrong-image', /ImagePullBackOff/);
    const text = await described('wrong-image');
    expect(text).toContain('Failed to pull image "nginx:no-such-tag"');
    expect(text).toContain('Back-off pulling image "nginx:no-such-tag"');
  });

  it('exit 1: CrashLoopBackOff with growing back-off, and logs --previous', async () => {
    await cluster.apply(pod('crash', 'image: "busybox:1.36", command: [sh, -c, "echo going down; exit 1"]'));
    await status('crash', /CrashLoopBackOff\s+1/);
    expect(await cluster.ok('logs', 'crash', '--previous')).toBe('going down\n');
    await status('crash', /CrashLoopBackOff\s+2/);
    expect(await described('crash')).toMatch(/Back-off restarting failed container main in pod crash_default/);
    const message = await cluster.ok(
      'get',
      'pod',
      'crash',
      '-o=jsonpath={.status.containerStatuses[0].state.waiting.message}',
    );
    expect(message).toMatch(/back-off 20s restarting failed container=main pod=crash_default/);
  });

  it('1000 CPUs: Pending with the message of kube-scheduler', async () => {
    await cluster.apply(pod('huge', 'image: "busybox:1.36", resources: { requests: { cpu: 1000 } }'));
    await cluster.until(['describe', 'pod', 'huge'], (out) => out.includes('FailedScheduling'));
    const text = await described('huge');
    expect(text).toMatch(/0\/1 nodes are available: 1 Insufficient cpu\./);
    expect(text).toMatch(/preemption: 0\/1 nodes are available: 1 Preemption is not helpful for scheduling\./);
  });

  it('more memory than the limit: OOMKilled', async () => {
    const container =
      'image: "polinux/stress", command: [stress, --vm, "1", --vm-bytes, 256M, --vm-hang, "1"], resources: { limits: { memory: 64Mi } }';
    await cluster.apply(pod('oom', container, '  restartPolicy: Never'));
    await status('oom', /OOMKilled/);
    const code = '-o=jsonpath={.status.containerStatuses[0].state.terminated.exitCode}';
    expect(await cluster.ok('get', 'pod', 'oom', code)).toMatch(/^(137|1)$/);
  });

  it('a failing liveness probe: Unhealthy, Killing, a restart', async () => {
    const probe = 'livenessProbe: { exec: { command: [cat, /tmp/healthy] }, periodSeconds: 1, failureThreshold: 2 }';
    await cluster.apply(pod('unwell', `image: "busybox:1.36", command: [sh, -c, "sleep 3600"], ${probe}`));
    await status('unwell', /Running\s+[1-9]/);
    const text = await described('unwell');
    expect(text).toMatch(/Liveness probe failed: cat: can't open '\/tmp\/healthy': No such file or directory/);
    expect(text).toContain('Container main failed liveness probe, will be restarted');
  });

  it('a missing ConfigMap: CreateContainerConfigError', async () => {
    await cluster.apply(pod('no-config', 'image: "busybox:1.36", envFrom: [{ configMapRef: { name: absent } }]'));
    await status('no-config', /CreateContainerConfigError/);
    expect(await described('no-config')).toContain('Error: configmap "absent" not found');
  });

  it('a missing command: the start error of the runtime', async () => {
    await cluster.apply(pod('no-command', 'image: "busybox:1.36", command: [nope]'));
    await status('no-command', /RunContainerError|CrashLoopBackOff|StartError/);
    expect(await described('no-command')).toMatch(/exec: "nope": executable file not found in \$PATH/);
  });
});
