import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';

const pod = (namespace: string, name: string, command: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: "${image}"
      command: [sh, -c, "${command}"]
      ports: [{ name: http, containerPort: 8080 }]
`;
const serve = 'echo hello > /index.html; httpd -p 8081 -h /; exec httpd -f -p 8080 -h /';
const world = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: Namespace
metadata: { name: other, labels: { team: blue } }
---${pod('shop', 'web', serve)}---${pod('shop', 'friend', 'sleep 3600')}---${pod('shop', 'stranger', 'sleep 3600')}---${pod('other', 'visitor', 'sleep 3600')}
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
`;
const policy = (name: string, spec: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;

describe.skipIf(missing !== '')(`network policies between real pods${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  let webIp = '';
  let friendIp = '';
  beforeAll(async () => {
    cluster = await startTestCluster({ args: ['--runtime', 'containerd'] });
    await loadBusybox(cluster, image);
    await cluster.apply(world);
    const ip = async (name: string): Promise<string> => {
      await cluster.ok('wait', '-n', 'shop', '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
      return cluster.ok('get', 'pod', '-n', 'shop', name, '-o', 'jsonpath={.status.podIP}');
    };
    webIp = await ip('web');
    friendIp = await ip('friend');
    await ip('stranger');
    await cluster.ok('wait', '-n', 'other', '--for=condition=Ready', 'pod/visitor', '--timeout=60s');
  }, 120_000);
  afterAll(async () => {
    if (!cluster) return;
    await cluster.stop();
    await cluster.coracle('down', '--purge', '--data-dir', cluster.dataDir);
  }, 60_000);

  /** Who is able to fetch the page, asked until the answer is this one. */
  const answers = async (url: string, who: string, wanted: boolean): Promise<void> => {
    const [namespace = '', name = ''] = who.split('/');
    const script = `timeout 1 wget -qO- ${url} || echo refused`;
    const expected = wanted ? 'hello' : 'refused';
    await cluster.until(
      ['exec', '-n', namespace, name, '--', 'sh', '-c', script],
      (out) => out.trim() === expected,
      15_000,
    );
  };
  const web = (port = 8080): string => `http://${webIp}:${port}/`;
  const clear = (): Promise<string> => cluster.ok('delete', 'networkpolicy', '-n', 'shop', '--all');

  it('nothing is refused where no policy isolates', async () => {
    await answers(web(), 'shop/stranger', true);
    await answers(web(), 'other/visitor', true);
    await answers('http://web.shop/', 'other/visitor', true);
  });

  it('a policy without rules refuses everybody but the node, and lets all in again when it is deleted', async () => {
    await cluster.apply(policy('deny', '{ podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress] }'));
    await answers(web(), 'shop/friend', false);
    await answers('http://web.shop/', 'other/visitor', false);
    expect(await cluster.ok('get', '--raw', `/api/v1/namespaces/shop/pods/web:8080/proxy/`)).toBe('hello\n');
    // A pod always reaches itself, even through its Service.
    await answers('http://web.shop/', 'shop/web', true);
    await clear();
    await answers(web(), 'shop/friend', true);
  });

  it('lets in by pod and by namespace, on a named port and a range, and follows labels', async () => {
    await cluster.apply(
      policy(
        'some',
        `
  podSelector: { matchLabels: { app: web } }
  ingress:
    - from: [{ podSelector: { matchLabels: { app: friend } } }]
      ports: [{ port: http }]
    - from: [{ namespaceSelector: { matchLabels: { team: blue } } }]
      ports: [{ port: 8081, endPort: 8090 }]`,
      ),
    );
    await answers(web(), 'shop/stranger', false);
    await answers(web(), 'shop/friend', true);
    await answers(web(8081), 'shop/friend', false);
    await answers(web(8081), 'other/visitor', true);
    await answers(web(), 'other/visitor', false);
    await cluster.ok('label', 'pod', '-n', 'shop', 'stranger', 'app=friend', '--overwrite');
    await answers(web(), 'shop/stranger', true);
    await cluster.ok('label', 'namespace', 'other', 'team=red', '--overwrite');
    await answers(web(8081), 'other/visitor', false);
    await cluster.ok('label', 'pod', '-n', 'shop', 'stranger', 'app=stranger', '--overwrite');
    await answers(web(), 'shop/stranger', false);
    await clear();
  });

  it('a range of addresses with a hole', async () => {
    const block = `{ cidr: 10.244.0.0/16, except: [${friendIp}/32] }`;
    await cluster.apply(
      policy('block', `{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ ipBlock: ${block} }] }] }`),
    );
    await answers(web(), 'shop/friend', false);
    await answers(web(), 'shop/stranger', true);
    await clear();
  });

  it('egress: names do not resolve without cluster DNS, and the usual rule for it lets them', async () => {
    const to = (dns: string): string =>
      policy(
        'out',
        `
  podSelector: { matchLabels: { app: friend } }
  policyTypes: [Egress]
  egress:
    - to: [{ podSelector: { matchLabels: { app: web } } }]
      ports: [{ port: http }]${dns}`,
      );
    await cluster.apply(to(''));
    await answers(web(), 'shop/friend', true);
    await answers(web(8081), 'shop/friend', false);
    await answers('http://web.shop/', 'shop/friend', false);
    await cluster.apply(
      to(`
    - to:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }
          podSelector: { matchLabels: { k8s-app: kube-dns } }
      ports: [{ port: 53, protocol: UDP }]`),
    );
    await answers('http://web.shop/', 'shop/friend', true);
    await answers(web(8081), 'shop/friend', false);
    await answers('http://web.shop/', 'shop/stranger', true);
    await clear();
  });

  it('a connection that was let in lives on when a policy comes', async () => {
    await cluster.apply(pod('shop', 'listener', 'sleep 3600 | nc -l -p 7000 > /heard'));
    await cluster.ok('wait', '-n', 'shop', '--for=condition=Ready', 'pod/listener', '--timeout=60s');
    const ip = await cluster.ok('get', 'pod', '-n', 'shop', 'listener', '-o', 'jsonpath={.status.podIP}');
    const speak = `(echo before; while [ ! -e /more ]; do sleep 0.2; done; echo after) | nc ${ip} 7000; sleep 3600`;
    await cluster.apply(pod('shop', 'speaker', speak));
    const heard = (word: string): Promise<string> =>
      cluster.until(['exec', '-n', 'shop', 'listener', '--', 'cat', '/heard'], (out) => out.includes(word), 15_000);
    await heard('before');
    await cluster.apply(policy('late', '{ podSelector: { matchLabels: { app: listener } } }'));
    // The listener has taken its one connection: a stranger is refused by it before the policy, and hears nothing after.
    await cluster.until(
      ['exec', '-n', 'shop', 'stranger', '--', 'sh', '-c', `timeout 1 nc ${ip} 7000 < /dev/null; echo $?`],
      (out) => out.trim() === '143',
      15_000,
    );
    await cluster.ok('exec', '-n', 'shop', 'speaker', '--', 'sh', '-c', 'echo > /more');
    await heard('after');
  });
});
