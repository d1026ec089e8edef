import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askSim } from '../src/cluster/control-socket.ts';
import { kubectls, run, startTestCluster, type TestCluster } from './harness.ts';
import { workloadTests } from './workloads.ts';

const missing = kubectls().length === 0 ? 'kubectl is not installed' : '';
const threeTier = fileURLToPath(new URL('../examples/three-tier/app.yaml', import.meta.url));

const simulated = ['--runtime', 'sim', '--nodes', '3'];

const daemon = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: agent, image: registry.k8s.io/pause:3.9 }]
`;

const pod = (name: string, container: string, rest = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}${rest} }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: main, ${container} }]
`;

/** Says how often it has started, as far as its node's disk knows. */
const counter = `
apiVersion: v1
kind: Pod
metadata: { name: counter }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: busybox:1.36
      command: [sh, -c, "echo start >> /kept/starts; wc -l < /kept/starts; sleep 3600"]
      volumeMounts: [{ name: kept, mountPath: /kept }]
  volumes: [{ name: kept, hostPath: { path: /data/kept, type: DirectoryOrCreate } }]
`;

describe.skipIf(missing !== '')(`a cluster with simulated containers${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ args: [...simulated, '--node-monitor-grace-period', '20s'] });
  }, 90_000);
  afterAll(() => cluster?.dispose(), 60_000);
  const status = (name: string, wanted: RegExp): Promise<string> =>
    cluster.until(['get', 'pod', name, '--no-headers'], (out) => wanted.test(out), 40_000);
  const described = (name: string): Promise<string> => cluster.ok('describe', 'pod', name);

  it('has the nodes that were asked for, and they are Ready', async () => {
    const lines = (await cluster.ok('get', 'nodes', '--no-headers')).trim().split('\n');
    expect(lines.map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['node-1', 'Ready'],
      ['node-2', 'Ready'],
      ['node-3', 'Ready'],
    ]);
  });

  workloadTests(() => ({ cluster, image: 'busybox:1.36' }));

  it('runs a DaemonSet on each node', async () => {
    await cluster.apply(daemon);
    await cluster.ok('rollout', 'status', 'daemonset/agent', '--timeout=60s');
    const where = await cluster.ok('get', 'pods', '-l', 'app=agent', '-o', 'jsonpath={.items[*].spec.nodeName}');
    expect(where.split(' ').sort()).toEqual(['node-1', 'node-2', 'node-3']);
  });

  it('gives exec -it a terminal', async () => {
    const command = 'stty size; tty; test -t 1 && echo "a terminal"; exit 4';
    const script = `stty rows 40 cols 100; exec ${kubectls().at(-1)} exec -it client -- sh -c '${command}'`;
    const seen = await run('script', ['-qec', script, '/dev/null'], {
      env: { KUBECONFIG: cluster.kubeconfig },
      input: '',
    });
    expect(seen.stdout).toContain('a terminal\r\n');
    expect(seen.stdout).toMatch(/\/dev\/pts\/\d+\r\n/);
  });

  it.each([
    ['a tag that is not there', 'nginx:no-such-tag', '', /ErrImagePull|ImagePullBackOff/, 'not found'],
    ['a host that is not there', 'registry.invalid/app:1', '', /ErrImagePull|ImagePullBackOff/, 'no such host'],
    ['a registry that refuses', 'localhost:5999/app:1', '', /ErrImagePull|ImagePullBackOff/, 'connection refused'],
    ['too many pulls', 'nginx', 'rate-limited', /ErrImagePull|ImagePullBackOff/, '429 Too Many Requests'],
    ['credentials wanted', 'nginx', 'unauthorized', /ErrImagePull|ImagePullBackOff/, 'pull access denied'],
    ['another processor', 'nginx', 'wrong-architecture', /ErrImagePull|ImagePullBackOff/, 'no match for platform'],
  ])('%s: ErrImagePull, then ImagePullBackOff', async (_, image, fault, wanted, words) => {
    const name = `pull-${words.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
    const rest = fault ? `, annotations: { sim.coracle.dev/registry: ${fault} }` : '';
    await cluster.apply(pod(name, `image: "${image}"`, rest));
    await status(name, wanted);
    await status(name, /ImagePullBackOff/);
    expect(await described(name)).toContain(words);
  });

  it('a busy loop in a pod does not stall the cluster', async () => {
    await cluster.apply(pod('busy', 'image: "busybox:1.36", command: [sh, -c, "while true; do :; done"]'));
    await status('busy', /Running/);
    await cluster.apply(pod('beside', 'image: "busybox:1.36", command: [sh, -c, "echo ran"]'));
    await cluster.until(['logs', 'beside'], (out) => out === 'ran\n');
    await cluster.ok('delete', 'pod', 'busy', 'beside');
  });

  it('reaches the API server from a pod by its Service', async () => {
    const ask =
      'curl -s --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt https://kubernetes.default.svc/version';
    await cluster.apply(pod('api-client', `image: curlimages/curl, command: [sh, -c, "${ask}"]`));
    await cluster.until(['logs', 'api-client'], (out) => out.includes('"gitVersion"'));
  });

  it('does not find names of the outside', async () => {
    const { code, stdout, stderr } = await cluster.kubectl('exec', 'client', '--', 'nslookup', 'example.com');
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('NXDOMAIN');
  });

  it('rolls the three-tier example out', async () => {
    await cluster.apply(readFileSync(threeTier, 'utf8'));
    await cluster.ok('-n', 'shop', 'rollout', 'status', 'deployment/web', '--timeout=60s');
    await cluster.ok('-n', 'shop', 'rollout', 'status', 'statefulset/cache', '--timeout=60s');
    await cluster.ok('-n', 'shop', 'wait', '--for=condition=complete', 'job/migrate', '--timeout=60s');
    expect(await cluster.ok('-n', 'shop', 'logs', 'job/migrate')).toBe('migrating\ndone\n');
    expect(await cluster.ok('exec', 'client', '--', 'wget', '-qO-', 'http://web.shop')).toContain('coracle shop');
    expect(await cluster.ok('-n', 'shop', 'exec', 'cache-0', '--', 'redis-cli', 'ping')).toBe('PONG\n');
  }, 120_000);

  it('a node that loses its power: NotReady; it comes back', async () => {
    expect(await askSim(cluster.dataDir, { kind: 'node', node: 'node-3', action: 'power-off' })).toEqual({});
    await cluster.until(['get', 'node', 'node-3', '--no-headers'], (out) => /\sNotReady\s/.test(out), 60_000);
    expect(await cluster.ok('describe', 'node', 'node-3')).toContain('Kubelet stopped posting node status.');
    expect(await askSim(cluster.dataDir, { kind: 'node', node: 'node-3', action: 'power-on' })).toEqual({});
    await cluster.until(['get', 'node', 'node-3', '--no-headers'], (out) => /\sReady\s/.test(out), 30_000);
    expect(await askSim(cluster.dataDir, { kind: 'node', node: 'node-9', action: 'power-on' })).toEqual({
      refusal: 'there is no simulated node node-9',
    });
  }, 120_000);

  it('starts its pods again after it was stopped, and knows those that had ended', async () => {
    await cluster.ok('create', 'deployment', 'again', '--image=registry.k8s.io/pause:3.9');
    await cluster.ok('create', 'job', 'once', '--image=busybox:1.36', '--', 'true');
    await cluster.apply(counter);
    await cluster.until(['logs', 'counter'], (out) => out.trim() === '1');
    await cluster.ok('wait', '--for=condition=available', 'deployment/again', '--timeout=60s');
    await cluster.ok('wait', '--for=condition=complete', 'job/once', '--timeout=60s');
    expect(await cluster.stop()).toBe(0);
    const later = await startTestCluster({ args: simulated, dataDir: cluster.dataDir });
    try {
      await later.until(['get', 'pods', '-l', 'app=again', '--no-headers'], (out) => /1\/1\s+Running\s+1/.test(out));
      await later.until(['logs', 'counter'], (out) => out.trim() === '2');
      expect(await later.ok('get', 'job', 'once', '--no-headers')).toMatch(/Complete\s+1\/1/);
    } finally {
      await later.stop();
    }
  }, 120_000);
});
