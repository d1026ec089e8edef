import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, program, run, startTestCluster, type TestCluster } from './harness.ts';
import { type Host, type Hosts, hostsMissing, makeHosts } from './hosts.ts';
import { imagesMissing, loadBusybox } from './images.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || hostsMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';

/** A server on each node that tells its own name, and a client on each. */
const pod = (name: string, node: string, command: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name.split('-')[0]} } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  tolerations:
    - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
    - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
  containers:
    - name: main
      image: "${image}"
      command: [sh, -c, "${command}"]
      ports: [{ name: http, containerPort: 8080 }]
`;
const serve = (who: string): string => `echo ${who} > /index.html; exec httpd -f -p 8080 -h /`;
const service = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
`;

describe.skipIf(missing !== '')(`several nodes${missing && ` (left out: ${missing})`}`, () => {
  let net: Hosts;
  let cluster: TestCluster;
  let joined: ChildProcess;
  let said = '';
  let first = '';
  const dataDir = mkdtempSync(join(tmpdir(), 'coracle-e2e-node-'));
  const host = (index: number): Host => net.hosts[index] as Host;

  const startNode = (args: readonly string[]): Promise<void> => {
    const [file = '', ...prefix] = host(1).prefix;
    const base = [...prefix, process.execPath, program, 'kubelet', '--data-dir', dataDir, '--node-name', 'n2'];
    joined = spawn(file, [...base, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        said += chunk.toString();
        if (/node n2 is ready/.test(said)) resolve();
      };
      joined.stdout?.on('data', read);
      joined.stderr?.on('data', read);
      joined.once('exit', (code) => reject(new Error(`coracle kubelet ended with ${code}: ${said}`)));
    });
  };
  const ask = (from: string, url: string): readonly string[] => [
    ...['exec', from, '--', 'sh', '-c'],
    `timeout 2 wget -qO- ${url}`,
  ];

  beforeAll(async () => {
    net = makeHosts(2);
    cluster = await startTestCluster({
      prefix: host(0).prefix,
      listen: `${host(0).ip}:0`,
      args: ['--runtime', 'containerd', '--node-monitor-grace-period', '20s'],
    });
    await loadBusybox(cluster, image);
    first = (await cluster.ok('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
  }, 120_000);
  afterAll(async () => {
    if (cluster) {
      await cluster.stop();
      await cluster.coracle('down', '--purge', '--data-dir', cluster.dataDir);
    }
    if (joined?.exitCode === null) {
      const ended = new Promise((resolve) => joined.once('exit', resolve));
      joined.kill('SIGTERM');
      await ended;
    }
    if (net) {
      const [file = '', ...prefix] = host(1).prefix;
      await run(file, [...prefix, process.execPath, program, 'down', '--purge', '--data-dir', dataDir]);
      net.dispose();
    }
    rmSync(dataDir, { recursive: true, force: true });
  }, 90_000);

  it('a machine joins by the printed command, with certificates of its own', async () => {
    const command = (await cluster.coracle('token', 'create', '--print-join-command')).stdout.trim();
    expect(command).toMatch(
      /^coracle kubelet --join 10\.213\.7\.1:\d+ --token [a-z0-9]{6}\.[a-z0-9]{16} --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}$/,
    );
    const list = (await cluster.coracle('token', 'list')).stdout;
    expect(list).toMatch(/^TOKEN\s+TTL\s+EXPIRES\s+USAGES\s+DESCRIPTION\s+EXTRA GROUPS\n/);
    expect(list).toMatch(/authentication,signing\s+<none>\s+system:bootstrappers:kubeadm:default-node-token/);
    await startNode(command.split(' ').slice(2));
    await cluster.ok('wait', '--for=condition=Ready', 'node', 'n2', '--timeout=60s');
    const requests = await cluster.ok('get', 'csr');
    expect(requests).toMatch(/kube-apiserver-client-kubelet\s+system:bootstrap:\S+\s+\S+\s+Approved,Issued/);
    expect(requests).toMatch(/kubelet-serving\s+system:node:n2\s+\S+\s+Approved,Issued/);
    const id = /--token ([a-z0-9]{6})/.exec(command)?.[1] ?? '';
    expect((await cluster.coracle('token', 'delete', id)).stdout).toBe(`bootstrap token "${id}" deleted\n`);
  }, 120_000);

  it('refuses a wrong pin, and a token that was deleted', async () => {
    const [file = '', ...prefix] = host(1).prefix;
    const other = mkdtempSync(join(tmpdir(), 'coracle-e2e-node-'));
    const port = new URL(cluster.url).port;
    const tryWith = async (token: string, ...rest: readonly string[]): Promise<string> => {
      const args = [program, 'kubelet', '--data-dir', other, '--join', `${host(0).ip}:${port}`, '--token', token];
      const { code, stderr } = await run(file, [...prefix, process.execPath, ...args, ...rest], { timeoutMs: 30_000 });
      expect(code).toBe(1);
      return stderr;
    };
    const pin = `sha256:${'0'.repeat(64)}`;
    const token = (await cluster.coracle('token', 'create')).stdout.trim();
    await cluster.until(['get', 'configmap', '-n', 'kube-public', 'cluster-info', '-o', 'yaml'], (out) =>
      out.includes(`jws-kubeconfig-${token.slice(0, 6)}`),
    );
    expect(await tryWith(token, '--discovery-token-ca-cert-hash', pin)).toContain(
      'does not match the pinned public key',
    );
    expect(await tryWith(`${token.slice(0, 6)}.0123456789abcdef`, '--discovery-token-ca-cert-hash', pin)).toContain(
      'was not signed with this token',
    );
    expect(await tryWith('aaaaaa.0123456789abcdef', '--discovery-token-ca-cert-hash', pin)).toContain(
      'token id "aaaaaa" is invalid for this cluster or it has expired',
    );
    expect(await tryWith(token)).toContain('need --discovery-token-ca-cert-hash');
    // Nothing was left behind, and what is there of the node that runs stays.
    const purged = await run(file, [...prefix, process.execPath, program, 'down', '--purge', '--data-dir', other]);
    expect(purged.code).toBe(0);
  }, 90_000);

  it('pods reach pods, Services and names across nodes, and keep their address', async () => {
    const loaded = await cluster.coracle('image', 'load', join(cluster.dataDir, 'busybox.tar'), '--data-dir', dataDir);
    expect(loaded.stderr).toBe('');
    await cluster.apply(
      [
        pod('web-1', first, serve('one')),
        pod('web-2', 'n2', serve('two')),
        pod('client-1', first, 'sleep 3600'),
        pod('client-2', 'n2', 'sleep 3600'),
        service,
      ].join('---'),
    );
    await cluster.ok('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    const ip = async (name: string): Promise<string> =>
      cluster.ok('get', 'pod', name, '-o', 'jsonpath={.status.podIP}');
    expect(await ip('web-1')).toMatch(/^10\.244\.0\./);
    expect(await ip('web-2')).toMatch(/^10\.244\.1\./);
    expect(await cluster.ok(...ask('client-1', `http://${await ip('web-2')}:8080/`))).toBe('two\n');
    expect(await cluster.ok(...ask('client-2', `http://${await ip('web-1')}:8080/`))).toBe('one\n');
    for (const client of ['client-1', 'client-2']) {
      for (const who of ['one\n', 'two\n']) await cluster.until(ask(client, 'http://web/'), (out) => out === who);
    }
    // Who calls is seen by the address it has: policies could not judge otherwise.
    await cluster.apply(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: only-client-2 }
spec: { podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ ipBlock: { cidr: ${await ip('client-2')}/32 } }] }] }
`);
    const refused = (url: string) => ['exec', 'client-1', '--', 'sh', '-c', `timeout 1 wget -qO- ${url} || echo no`];
    await cluster.until(refused(`http://${await ip('web-2')}:8080/`), (out) => out === 'no\n');
    expect(await cluster.ok(...ask('client-2', `http://${await ip('web-1')}:8080/`))).toBe('one\n');
    await cluster.ok('delete', 'networkpolicy', 'only-client-2');
    expect(await cluster.ok('logs', 'web-2')).toBe('');
  }, 120_000);

  it('a node that is lost turns NotReady, its pods are evicted, Services go round it; it comes back and heals', async () => {
    host(1).link('down');
    await cluster.until(['get', 'node', 'n2', '--no-headers'], (out) => out.includes('NotReady'), 60_000);
    expect(await cluster.ok('describe', 'node', 'n2')).toMatch(/Unknown .*Kubelet stopped posting node status/);
    await cluster.until(['get', 'pod', 'web-2', '--no-headers'], (out) => out.includes('Terminating'), 30_000);
    for (let i = 0; i < 5; i++) expect(await cluster.ok(...ask('client-1', 'http://web/'))).toBe('one\n');
    host(1).link('up');
    await cluster.ok('wait', '--for=condition=Ready', 'node', 'n2', '--timeout=60s');
    await cluster.until(['get', 'node', 'n2', '-o', 'jsonpath={.spec.taints}'], (out) => out === '', 30_000);
    await cluster.until(['get', 'pods', '-o', 'name'], (out) => !out.includes('web-2'), 60_000);
    await cluster.apply(pod('web-3', 'n2', serve('three')));
    await cluster.until(ask('client-1', 'http://web/'), (out) => out === 'three\n', 60_000);
  }, 200_000);

  it('a node that starts again needs no token, and finds its pods running', async () => {
    const started = await cluster.ok(
      'get',
      'pod',
      'web-3',
      '-o',
      'jsonpath={.status.containerStatuses[0].containerID}',
    );
    const ended = new Promise<number | null>((resolve) => joined.once('exit', resolve));
    joined.kill('SIGTERM');
    expect(await ended).toBe(0);
    // Rules and routes stay: what runs there goes on being reached.
    await cluster.until(ask('client-1', 'http://web/'), (out) => out === 'three\n');
    said = '';
    await startNode([]);
    await cluster.ok('wait', '--for=condition=Ready', 'node', 'n2', '--timeout=60s');
    expect(await cluster.ok('get', 'pod', 'web-3', '-o', 'jsonpath={.status.containerStatuses[0].containerID}')).toBe(
      started,
    );
    expect(await cluster.ok('exec', 'web-3', '--', 'cat', '/index.html')).toBe('three\n');
  }, 90_000);
});
