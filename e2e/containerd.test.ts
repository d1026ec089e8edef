import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';

const pod = (name: string, container: string, rest = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
${rest}
  containers:
    - { name: main, image: "${image}", ${container} }
`;

const web = `
apiVersion: v1
kind: ConfigMap
metadata: { name: web }
data: { greeting: hello from the config map }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: "${image}"
          command: [sh, -c, "exec httpd -f -p 8080 -h /srv"]
          ports: [{ containerPort: 8080, name: http }]
          readinessProbe: { httpGet: { path: /greeting, port: http }, periodSeconds: 1 }
          volumeMounts: [{ name: content, mountPath: /srv }]
      volumes: [{ name: content, configMap: { name: web } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
`;

describe.skipIf(missing !== '')(`a cluster with real containers${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ args: ['--runtime', 'containerd'] });
    await loadBusybox(cluster, image);
    await cluster.ok('wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
  }, 90_000);
  afterAll(async () => {
    if (!cluster) return;
    await cluster.stop();
    const { code, stderr } = await cluster.coracle('down', '--purge', '--data-dir', cluster.dataDir);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  }, 60_000);

  const status = (name: string, wanted: RegExp): Promise<string> =>
    cluster.until(['get', 'pod', name, '--no-headers'], (out) => wanted.test(out), 40_000);
  const described = (name: string): Promise<string> => cluster.ok('describe', 'pod', name);

  it('rolls a Deployment out; its Service answers by name; exec reads the mounted file', async () => {
    expect(await cluster.apply(web)).toContain('deployment.apps/web created');
    expect(await cluster.ok('rollout', 'status', 'deployment/web', '--timeout=40s')).toContain(
      'successfully rolled out',
    );
    expect(await cluster.ok('exec', 'deploy/web', '--', 'cat', '/srv/greeting')).toBe('hello from the config map');
    await cluster.apply(pod('client', 'command: [sleep, "3600"]'));
    await status('client', /1\/1\s+Running/);
    expect(await cluster.ok('exec', 'client', '--', 'wget', '-qO-', 'http://web/greeting')).toBe(
      'hello from the config map',
    );
    expect(await cluster.apply(web)).toMatch(/deployment.apps\/web unchanged/);
  });

  it('scales, and deletes what a Deployment owns with it', async () => {
    await cluster.ok('scale', 'deployment/web', '--replicas=3');
    await cluster.ok('rollout', 'status', 'deployment/web', '--timeout=40s');
    expect((await cluster.ok('get', 'pods', '-l', 'app=web', '-o', 'name')).trim().split('\n')).toHaveLength(3);
    await cluster.ok('delete', 'deployment', 'web');
    await cluster.until(['get', 'pods,rs', '-l', 'app=web', '-o', 'name'], (out) => out.trim() === '', 40_000);
  });

  it.each(kubectls().map((binary) => [binary.split('/').at(-1) ?? binary, binary] as const))(
    'executes with %s',
    async (_, binary) => {
      const done = await cluster.kubectlWith({ binary }, 'exec', 'client', '--', 'sh', '-c', 'echo out; exit 3');
      expect(done.stdout).toBe('out\n');
      expect(done.code).toBe(3);
      const fed = await cluster.kubectlWith({ binary, input: 'through\n' }, 'exec', '-i', 'client', '--', 'cat');
      expect(fed.stdout).toBe('through\n');
    },
  );

  it('an image that nobody has: ErrImageNeverPull', async () => {
    await cluster.apply(pod('never', 'imagePullPolicy: Never').replace(image, 'coracle.local/none:1'));
    await status('never', /ErrImageNeverPull/);
  });

  it('exit 1: CrashLoopBackOff, and logs --previous', async () => {
    await cluster.apply(pod('crash', 'command: [sh, -c, "echo going down; exit 1"]'));
    await status('crash', /CrashLoopBackOff/);
    expect(await cluster.ok('logs', 'crash', '--previous')).toBe('going down\n');
    expect(await described('crash')).toMatch(/Back-off restarting failed container main in pod crash_default/);
  });

  it('1000 CPUs: Pending with the message of kube-scheduler', async () => {
    await cluster.apply(pod('huge', 'resources: { requests: { cpu: 1000 } }'));
    await cluster.until(['describe', 'pod', 'huge'], (out) => out.includes('FailedScheduling'));
    expect(await described('huge')).toMatch(/0\/1 nodes are available: 1 Insufficient cpu\./);
  });

  it('more memory than the limit: OOMKilled', async () => {
    const eat = 'command: [sh, -c, "tail /dev/zero"], resources: { limits: { memory: 16Mi } }';
    await cluster.apply(pod('oom', eat, '  restartPolicy: Never'));
    await status('oom', /OOMKilled/);
  });

  it('a failing liveness probe: Unhealthy, Killing, a restart', async () => {
    const probe = 'livenessProbe: { exec: { command: [cat, /tmp/healthy] }, periodSeconds: 1, failureThreshold: 2 }';
    await cluster.apply(pod('unwell', `command: [sleep, "3600"], ${probe}`));
    await status('unwell', /\s[1-9]\d*( \(.*\))?\s/);
    const text = await described('unwell');
    expect(text).toContain('Liveness probe failed: ');
    expect(text).toContain('Container main failed liveness probe, will be restarted');
  });

  it('a missing ConfigMap: CreateContainerConfigError', async () => {
    await cluster.apply(pod('no-config', 'envFrom: [{ configMapRef: { name: absent } }]'));
    await status('no-config', /CreateContainerConfigError/);
    expect(await described('no-config')).toContain('configmap "absent" not found');
  });

  it('a missing command: the start error of the runtime', async () => {
    await cluster.apply(pod('no-command', 'command: [nope]'));
    await status('no-command', /RunContainerError|CrashLoopBackOff|StartError/);
    expect(await described('no-command')).toMatch(/exec: "nope": executable file not found in \$PATH/);
  });
});
