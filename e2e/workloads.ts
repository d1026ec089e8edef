import { expect, it } from 'vitest';
import { type Background, kubectls, type TestCluster } from './harness.ts';

export interface WorkloadTarget {
  readonly cluster: TestCluster;
  /** A busybox that the nodes can get. */
  readonly image: string;
}

const web = (image: string): string => `
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

/** What a user does with pods and what he sees, with the real kubectl: the same on real and on simulated containers. */
export function workloadTests(get: () => WorkloadTarget): void {
  const cluster = (): TestCluster => get().cluster;
  const pod = (name: string, container: string, rest = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
${rest}
  containers:
    - { name: main, image: "${get().image}", ${container} }
`;
  const status = (name: string, wanted: RegExp): Promise<string> =>
    cluster().until(['get', 'pod', name, '--no-headers'], (out) => wanted.test(out), 40_000);
  const described = (name: string): Promise<string> => cluster().ok('describe', 'pod', name);

  it('rolls a Deployment out; its Service answers by name; exec reads the mounted file', async () => {
    expect(await cluster().apply(web(get().image))).toContain('deployment.apps/web created');
    expect(await cluster().ok('rollout', 'status', 'deployment/web', '--timeout=60s')).toContain(
      'successfully rolled out',
    );
    expect(await cluster().ok('exec', 'deploy/web', '--', 'cat', '/srv/greeting')).toBe('hello from the config map');
    await cluster().apply(pod('client', 'command: [sleep, "3600"]'));
    await status('client', /1\/1\s+Running/);
    for (const name of ['web', 'web.default', 'web.default.svc.cluster.local'])
      expect(await cluster().ok('exec', 'client', '--', 'wget', '-qO-', `http://${name}/greeting`)).toBe(
        'hello from the config map',
      );
    expect(await cluster().apply(web(get().image))).toMatch(/deployment.apps\/web unchanged/);
  });

  it('forwards a port of a Service', async () => {
    const forward: Background = cluster().background('port-forward', 'service/web', ':80');
    const port = /127\.0\.0\.1:(\d+) ->/.exec(await forward.until(/Forwarding from 127/))?.[1];
    const answer = await fetch(`http://127.0.0.1:${port}/greeting`);
    expect(await answer.text()).toBe('hello from the config map');
    await forward.stop();
  });

  it('a Service that nobody is behind refuses connections', async () => {
    await cluster().ok('create', 'service', 'clusterip', 'lonely', '--tcp=80:80');
    const { code, stderr } = await cluster().kubectl(
      'exec',
      'client',
      '--',
      'timeout',
      '5',
      'wget',
      '-qO-',
      'http://lonely',
    );
    expect(stderr).toMatch(/Connection refused/);
    expect(code).toBe(1);
  });

  it('scales, and deletes what a Deployment owns with it', async () => {
    await cluster().ok('scale', 'deployment/web', '--replicas=3');
    await cluster().ok('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect((await cluster().ok('get', 'pods', '-l', 'app=web', '-o', 'name')).trim().split('\n')).toHaveLength(3);
    await cluster().ok('delete', 'deployment', 'web');
    await cluster().until(['get', 'pods,rs', '-l', 'app=web', '-o', 'name'], (out) => out.trim() === '', 40_000);
  });

  it.each(kubectls().map((binary) => [binary.split('/').at(-1) ?? binary, binary] as const))(
    'executes with %s',
    async (_, binary) => {
      const done = await cluster().kubectlWith({ binary }, 'exec', 'client', '--', 'sh', '-c', 'echo out; exit 3');
      expect(done.stdout).toBe('out\n');
      expect(done.code).toBe(3);
      const fed = await cluster().kubectlWith({ binary, input: 'through\n' }, 'exec', '-i', 'client', '--', 'cat');
      expect(fed.stdout).toBe('through\n');
    },
  );

  it('follows logs as they are written', async () => {
    await cluster().apply(
      pod('ticker', 'command: [sh, -c, "for i in 1 2 3; do echo tick $i; sleep 1; done"]', '  restartPolicy: Never'),
    );
    await status('ticker', /Running|Completed/);
    expect(await cluster().ok('logs', '-f', 'ticker')).toBe('tick 1\ntick 2\ntick 3\n');
    expect(await cluster().ok('logs', 'ticker', '--tail=1')).toBe('tick 3\n');
    await status('ticker', /Completed/);
  });

  it('gives a postStart hook and a preStop hook their time', async () => {
    const hooks = `lifecycle: { postStart: { exec: { command: [sh, -c, "echo hooked > /tmp/hook"] } }, preStop: { exec: { command: [sh, -c, "echo leaving > /proc/1/fd/1"] } } }`;
    await cluster().apply(pod('hooked', `command: [sleep, "3600"], ${hooks}`));
    await status('hooked', /1\/1\s+Running/);
    expect(await cluster().ok('exec', 'hooked', '--', 'cat', '/tmp/hook')).toBe('hooked\n');
    const following = cluster().background('logs', '-f', 'hooked');
    await cluster().ok('delete', 'pod', 'hooked');
    expect(await following.until(/leaving/)).toContain('leaving\n');
    await following.stop();
  });

  it('copies files in and out', async () => {
    await cluster().kubectlWith({ input: 'payload\n' }, 'exec', '-i', 'client', '--', 'sh', '-c', 'cat > /tmp/out');
    const local = `${cluster().dataDir}/copied`;
    await cluster().ok('cp', 'client:/tmp/out', local);
    await cluster().ok('cp', local, 'client:/tmp/back');
    expect(await cluster().ok('exec', 'client', '--', 'cat', '/tmp/back')).toBe('payload\n');
  });

  it('an image that nobody has: ErrImageNeverPull', async () => {
    await cluster().apply(pod('never', 'imagePullPolicy: Never').replace(get().image, 'coracle.local/none:1'));
    await status('never', /ErrImageNeverPull/);
  });

  it('exit 1: CrashLoopBackOff, and logs --previous', async () => {
    await cluster().apply(pod('crash', 'command: [sh, -c, "echo going down; exit 1"]'));
    await status('crash', /CrashLoopBackOff/);
    expect(await cluster().ok('logs', 'crash', '--previous')).toBe('going down\n');
    expect(await described('crash')).toMatch(/Back-off restarting failed container main in pod crash_default/);
  });

  it('1000 CPUs: Pending with the message of kube-scheduler', async () => {
    await cluster().apply(pod('huge', 'resources: { requests: { cpu: 1000 } }'));
    await cluster().until(['describe', 'pod', 'huge'], (out) => out.includes('FailedScheduling'));
    expect(await described('huge')).toMatch(/0\/(\d) nodes are available: \1 Insufficient cpu\./);
  });

  it('more memory than the limit: OOMKilled', async () => {
    const eat = 'command: [sh, -c, "tail /dev/zero"], resources: { limits: { memory: 16Mi } }';
    await cluster().apply(pod('oom', eat, '  restartPolicy: Never'));
    await status('oom', /OOMKilled/);
  });

  it('a failing liveness probe: Unhealthy, Killing, a restart', async () => {
    const probe = 'livenessProbe: { exec: { command: [cat, /tmp/healthy] }, periodSeconds: 1, failureThreshold: 2 }';
    await cluster().apply(pod('unwell', `command: [sleep, "3600"], ${probe}`));
    await status('unwell', /\s[1-9]\d*( \(.*\))?\s/);
    const text = await described('unwell');
    expect(text).toContain('Liveness probe failed: ');
    expect(text).toContain('Container main failed liveness probe, will be restarted');
  });

  it('a missing ConfigMap: CreateContainerConfigError', async () => {
    await cluster().apply(pod('no-config', 'envFrom: [{ configMapRef: { name: absent } }]'));
    await status('no-config', /CreateContainerConfigError/);
    expect(await described('no-config')).toContain('configmap "absent" not found');
  });

  it('a missing command: the start error of the runtime', async () => {
    await cluster().apply(pod('no-command', 'command: [nope]'));
    await status('no-command', /RunContainerError|CrashLoopBackOff|StartError/);
    expect(await described('no-command')).toMatch(/exec: "nope": executable file not found in \$PATH/);
  });
}
