import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectls, run, startTestCluster, type TestCluster } from './harness.ts';

const missing = kubectls().length === 0 ? 'kubectl is not installed' : '';
const web = (name: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { index.html: "${name}" }
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  containers:
    - name: nginx
      image: nginx
      ports: [{ containerPort: 80 }]
      volumeMounts: [{ name: content, mountPath: /usr/share/nginx/html }]
  volumes: [{ name: content, configMap: { name: ${name} } }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80 }] }
`;
const ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: front }
spec:
  tls: [{ hosts: [shop.test], secretName: shop }]
  rules:
    - host: shop.test
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: one, port: { name: http } } } }
          - { path: /index.html, pathType: Exact, backend: { service: { name: two, port: { number: 80 } } } }
          - { path: /gone, pathType: Prefix, backend: { service: { name: gone, port: { number: 80 } } } }
`;

describe.skipIf(missing !== '')(`Ingress${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  const dir = mkdtempSync(join(tmpdir(), 'coracle-ingress-'));
  beforeAll(async () => {
    const none = ['--ingress-http', '127.0.0.1:0', '--ingress-https', '127.0.0.1:0'];
    cluster = await startTestCluster({ args: ['--runtime', 'sim', ...none] });
    const [key, certificate] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const made = await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
      ...['-subj', '/CN=shop.test', '-addext', 'subjectAltName=DNS:shop.test', '-keyout', key, '-out', certificate],
    ]);
    expect(made.code).toBe(0);
    await cluster.ok('create', 'secret', 'tls', 'shop', `--cert=${certificate}`, `--key=${key}`);
    await cluster.apply([web('one'), web('two'), ingress].join('---'));
    await cluster.ok('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
  }, 90_000);
  afterAll(async () => {
    await cluster?.dispose();
    rmSync(dir, { recursive: true, force: true });
  });

  it('leads by host and path, says what is missing, and shows its certificate', async () => {
    const status = ['get', 'ingress', 'front', '-o', 'jsonpath={.status.loadBalancer.ingress[0]}'];
    const where = JSON.parse(await cluster.until(status, (out) => out.includes('port'))) as {
      ip: string;
      ports: { port: number }[];
    };
    expect(where.ip).toBe('127.0.0.1');
    const [http, https] = where.ports.map((it) => it.port);
    const ask = async (url: string, ...rest: readonly string[]): Promise<string> =>
      (await run('curl', ['-s', '-m', '5', '-w', ' %{http_code}', ...rest, url])).stdout;
    const host = ['-H', 'Host: shop.test'];
    await expect.poll(() => ask(`http://127.0.0.1:${http}/`, ...host), { timeout: 15_000 }).toMatch(/^one\s* 200$/);
    expect(await ask(`http://127.0.0.1:${http}/index.html`, ...host)).toMatch(/^two\s* 200$/);
    expect(await ask(`http://127.0.0.1:${http}/gone/x`, ...host)).toBe(
      'Service default/gone:80 has no ready endpoints\n 503',
    );
    expect(await ask(`http://127.0.0.1:${http}/`)).toBe('no Ingress has a rule for host "127.0.0.1" and path /\n 404');
    const resolve = ['--resolve', `shop.test:${https}:127.0.0.1`, '--cacert', join(dir, 'cert.pem')];
    expect(await ask(`https://shop.test:${https}/`, ...resolve)).toMatch(/^one\s* 200$/);
    expect(await cluster.ok('get', 'ingress', 'front')).toMatch(
      /front\s+coracle\s+shop\.test\s+127\.0\.0\.1\s+80, 443/,
    );
  }, 60_000);
});
