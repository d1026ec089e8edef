import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, run, startTestCluster, type TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';

const pod = (name: string, command: string, spec = '', container = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name.split('-')[0]} } }
spec:
  terminationGracePeriodSeconds: 1
${spec}
  containers:
    - name: main
      image: "${image}"
      command: [sh, -c, "${command}"]
      ports: [{ name: http, containerPort: 8080${container} }]
`;
const serve = (who: string): string => `echo ${who} > /index.html; exec httpd -f -p 8080 -h /`;
const service = (name: string, spec: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ name: http, port: 80, targetPort: http }], ${spec} }
`;

describe.skipIf(missing !== '')(`Services and names with real pods${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  let nodeIp = '';
  beforeAll(async () => {
    cluster = await startTestCluster({ args: ['--runtime', 'containerd'] });
    await loadBusybox(cluster, image);
    await cluster.apply(
      [
        pod('web-1', serve('one'), '  hostname: first\n  subdomain: headless'),
        pod('web-2', serve('two')),
        pod('client', 'sleep 3600'),
        service('web', 'selector: { app: web }'),
        service('headless', 'selector: { app: web }, clusterIP: None'),
      ].join('---'),
    );
    await cluster.ok('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    nodeIp = await cluster.ok('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}');
  }, 120_000);
  afterAll(async () => {
    if (!cluster) return;
    await cluster.stop();
    await cluster.coracle('down', '--purge', '--data-dir', cluster.dataDir);
    expect((await run('nft', ['list', 'tables'])).stdout).not.toContain('coracle');
  }, 60_000);

  const inPod = (script: string, from = 'client'): readonly string[] => ['exec', from, '--', 'sh', '-c', script];
  const fetch = (url: string): string => `timeout 3 wget -qO- ${url} 2>&1 || echo failed`;
  const fromPod = (url: string, accept: (out: string) => boolean, from = 'client'): Promise<string> =>
    cluster.until(inPod(fetch(url), from), accept, 20_000);
  const fromHost = async (url: string): Promise<string> =>
    (await run('sh', ['-c', `curl -s -m 3 -o - -w '%{http_code}' ${url}`])).stdout;
  const served = (out: string): boolean => /^(one|two)\n$/.test(out);
  const field = (name: string, path: string): Promise<string> =>
    cluster.ok('get', 'service', name, '-o', `jsonpath={${path}}`);

  it('a node port at the node’s address, an external IP, and a load balancer’s address', async () => {
    await cluster.apply(service('open', 'type: LoadBalancer, externalIPs: [192.0.2.77], selector: { app: web }'));
    const ip = await cluster.until(
      ['get', 'service', 'open', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'],
      (out) => out !== '',
    );
    expect(ip).toMatch(/^198\.51\.100\.\d+$/);
    expect(await cluster.ok('get', 'events')).toMatch(/EnsuredLoadBalancer\s+service\/open/);
    const nodePort = await field('open', '.spec.ports[0].nodePort');
    for (const url of [`http://${nodeIp}:${nodePort}/`, `http://${ip}/`, 'http://192.0.2.77/']) {
      await fromPod(url, served);
      expect(await fromHost(url)).toMatch(/^(one|two)\n200$/);
    }
    // Only the node's own addresses: not the loopback, not those that bridges have.
    expect(await fromHost(`http://127.0.0.1:${nodePort}/`)).toMatch(/000$/);
    await cluster.ok('patch', 'service', 'open', '-p', '{"spec":{"loadBalancerSourceRanges":["203.0.113.0/24"]}}');
    await fromPod(`http://${ip}/`, (out) => !served(out));
    await fromPod(`http://${nodeIp}:${nodePort}/`, served);
    await cluster.ok('patch', 'service', 'open', '-p', '{"spec":{"type":"ClusterIP","loadBalancerSourceRanges":null}}');
    await cluster.until(['get', 'service', 'open', '-o', 'jsonpath={.status}'], (out) => !out.includes('ip'));
    await fromPod(`http://${nodeIp}:${nodePort}/`, (out) => !served(out));
  });

  it('a client stays with its endpoint where affinity is asked for', async () => {
    await cluster.apply(service('sticky', 'sessionAffinity: ClientIP, selector: { app: web }'));
    const first = await fromPod('http://sticky/', served);
    const again = inPod('for i in 1 2 3 4 5 6 7 8; do timeout 3 wget -qO- http://sticky/; done');
    expect(await cluster.ok(...again)).toBe(first.repeat(8));
  });

  it('policy Local: the node’s health check tells, and nobody but local endpoints answers', async () => {
    await cluster.apply(
      service('local', 'type: LoadBalancer, externalTrafficPolicy: Local, selector: { app: web, only: me }'),
    );
    const port = await field('local', '.spec.healthCheckNodePort');
    const url = `http://${nodeIp}:${port}/healthz`;
    const health = async (wanted: RegExp): Promise<void> => {
      await expect.poll(() => fromHost(url), { timeout: 15_000 }).toMatch(wanted);
    };
    await health(/"localEndpoints":0,"serviceProxyHealthy":true\}\n503$/);
    await cluster.ok('label', 'pod', 'web-1', 'only=me');
    await health(/\{"service":\{"namespace":"default","name":"local"\},"localEndpoints":1.*\n200$/);
    await cluster.ok('delete', 'service', 'local');
    await expect.poll(() => fromHost(url), { timeout: 15_000 }).toBe('000');
  });

  it('a Service without endpoints refuses; a pod reaches itself through its Service', async () => {
    await cluster.apply(service('nobody', 'selector: { app: nobody }'));
    await fromPod('http://nobody/', (out) => out.includes('Connection refused'));
    await cluster.apply(service('self', 'selector: { only: me }'));
    await fromPod('http://self/', (out) => out === 'one\n', 'web-1');
  });

  it('rules that somebody removed come back', async () => {
    await run('nft', ['delete', 'table', 'ip', 'coracle-proxy']);
    await fromPod('http://web/', served);
  });

  it('a host port answers at the node; a second pod for it finds no node', async () => {
    await cluster.apply(pod('port-1', serve('host'), '', ', hostPort: 18080'));
    await cluster.ok('wait', '--for=condition=Ready', 'pod/port-1', '--timeout=60s');
    expect(await fromHost(`http://${nodeIp}:18080/`)).toBe('host\n200');
    await cluster.apply(pod('port-2', serve('host'), '', ', hostPort: 18080'));
    await cluster.until(['describe', 'pod', 'port-2'], (out) =>
      out.includes("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."),
    );
    await cluster.ok('delete', 'pod', 'port-1', 'port-2');
  });

  it('names: of a Service, of its ports, of the pods behind a headless one, aliases', async () => {
    const look = async (query: string, wanted: RegExp): Promise<void> => {
      await cluster.until(inPod(`nslookup ${query} 2>&1; true`), (out) => wanted.test(out), 15_000);
    };
    const webIp = await field('web', '.spec.clusterIP');
    const firstIp = await cluster.ok('get', 'pod', 'web-1', '-o', 'jsonpath={.status.podIP}');
    await look('web.default.svc.cluster.local', new RegExp(`Address: ${webIp.replaceAll('.', '\\.')}`));
    await look('first.headless.default.svc.cluster.local', new RegExp(`Address: ${firstIp.replaceAll('.', '\\.')}`));
    await look('-type=srv _http._tcp.web.default.svc.cluster.local', /0 100 80 web\.default\.svc\.cluster\.local/);
    await look(`-type=ptr ${webIp.split('.').reverse().join('.')}.in-addr.arpa`, /web\.default\.svc\.cluster\.local/);
    await cluster.apply(
      'apiVersion: v1\nkind: Service\nmetadata: { name: alias }\nspec: { type: ExternalName, externalName: web.default.svc.cluster.local }\n',
    );
    await fromPod('http://alias/', served);
    // A wrong name, and a name of another namespace without saying which.
    await look('wbe.default.svc.cluster.local', /NXDOMAIN/);
    await fromPod('http://kube-dns/', (out) => out.endsWith('failed\n'));
    await look('kube-dns.kube-system.svc.cluster.local', /Address: 10\.96\.0\.10\b/);
  });

  it('a wrong dnsPolicy, search list or server: names of the cluster are not found', async () => {
    await cluster.apply(
      [
        pod('default', 'sleep 3600', '  dnsPolicy: Default'),
        pod(
          'search',
          'sleep 3600',
          '  dnsConfig: { searches: [nowhere.test] }\n  dnsPolicy: None'.replace(
            '{ searches',
            '{ nameservers: [10.96.0.10], searches',
          ),
        ),
        pod('server', 'sleep 3600', '  dnsPolicy: None\n  dnsConfig: { nameservers: [10.244.0.250] }'),
      ].join('---'),
    );
    await cluster.ok('wait', '--for=condition=Ready', 'pod/default', 'pod/search', 'pod/server', '--timeout=60s');
    await fromPod('http://web/', (out) => out.endsWith('failed\n'), 'default');
    await fromPod('http://web/', (out) => out.endsWith('failed\n'), 'search');
    await fromPod('http://web.default.svc.cluster.local/', served, 'search');
    await cluster.until(
      inPod('timeout 20 nslookup web.default.svc.cluster.local 2>&1; true', 'server'),
      (out) => out.includes('timed out'),
      30_000,
    );
  }, 90_000);

  it('the Corefile is followed; what it asks too much is complained of; a dead upstream fails only what lies outside', async () => {
    const corefile = (forward: string, more = ''): string =>
      JSON.stringify({
        data: {
          Corefile: `.:53 {\n  errors\n  kubernetes cluster.local in-addr.arpa ip6.arpa\n  ${more}\n  forward . ${forward}\n  reload\n}\n`,
        },
      });
    const patch = (text: string) => cluster.ok('patch', 'configmap', '-n', 'kube-system', 'coredns', '-p', text);
    await patch(corefile('10.244.0.251'));
    await cluster.until(inPod('nslookup example.com 2>&1; true'), (out) => /SERVFAIL|timed out/.test(out), 60_000);
    await fromPod('http://web/', served);
    await patch(corefile('10.244.0.251', 'route53 example.org.:Z1'));
    await cluster.until(['get', 'events', '-n', 'kube-system'], (out) =>
      /InvalidCorefile\s+configmap\/coredns\s+Corefile:4: plugin route53 is not supported/.test(out),
    );
    await fromPod('http://web/', served);
    await patch(corefile('10.244.0.251', 'hosts {\n    192.0.2.9 printer.test\n  }'));
    await cluster.until(inPod('nslookup printer.test 2>&1; true'), (out) => out.includes('192.0.2.9'), 15_000);
  }, 60_000);

  it('cluster DNS can be replaced by pods, has no answer when there are none, and leads back when the selector goes', async () => {
    const select = (selector: string) =>
      cluster.ok('patch', 'service', '-n', 'kube-system', 'kube-dns', '-p', `{"spec":{"selector":${selector}}}`);
    await select('{"k8s-app":"own-dns"}');
    await cluster.until(inPod('nslookup web.default.svc.cluster.local 2>&1; true'), (out) =>
      /refused|timed out|no servers/i.test(out),
    );
    // What answers there is the pod's own affair: here it is a page.
    await cluster.apply(
      pod('dns', 'echo own > /index.html; exec httpd -f -p 53 -h /')
        .replace('name: dns,', 'name: dns, namespace: kube-system,')
        .replace('labels: { app: dns }', 'labels: { k8s-app: own-dns }'),
    );
    await fromPod('http://10.96.0.10:53/', (out) => out === 'own\n');
    const slices = [
      'get',
      'endpointslices',
      '-n',
      'kube-system',
      '-l',
      'kubernetes.io/service-name=kube-dns',
      '-o',
      'yaml',
    ];
    expect(await cluster.ok(...slices)).not.toContain('203.0.113.1');
    await select('null');
    await cluster.until(slices, (out) => out.includes('203.0.113.1'));
  }, 120_000);
});
