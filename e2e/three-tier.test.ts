import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './harness.ts';

const manifest = readFileSync(new URL('../examples/three-tier/app.yaml', import.meta.url), 'utf8');

describe('the three-tier example with the real kubectl', () => {
  let cluster: TestCluster;
  const inShop = (...args: readonly string[]): Promise<string> => cluster.ok('-n', 'shop', ...args);

  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster?.dispose());

  it('rolls out', async () => {
    const said = await cluster.apply(manifest);
    expect(said).toContain('deployment.apps/web created');
    expect(await inShop('rollout', 'status', 'deployment/web', '--timeout=40s')).toContain('successfully rolled out');
    await inShop('rollout', 'status', 'statefulset/cache', '--timeout=40s');
    await inShop('wait', '--for=condition=complete', 'job/migrate', '--timeout=40s');
    expect(await inShop('logs', 'job/migrate')).toBe('migrating\ndone\n');
  });

  it('applies again without a change', async () => {
    const said = await cluster.apply(manifest);
    const lines = said.trim().split('\n');
    expect(lines.filter((line) => !line.endsWith('unchanged'))).toEqual([]);
  });

  it('shows mounted files and environment inside', async () => {
    expect(await inShop('exec', 'deploy/web', '--', 'cat', '/etc/shop/greeting')).toBe('hello from the config map');
    expect(await inShop('exec', 'deploy/web', '--', 'sh', '-c', 'echo $GREETING $TOKEN')).toBe(
      'hello from the config map s3cr3t\n',
    );
  });

  it('answers on the Service name from inside another pod', async () => {
    const said = await inShop(
      ...['run', 'probe', '--image=busybox:1.36', '--restart=Never', '--rm', '-i', '--quiet'],
      ...['--command', '--', 'wget', '-qO-', 'http://web'],
    );
    expect(said).toContain('<h1>coracle shop</h1>');
  });

  it('gives every member of the StatefulSet its claim and its name', async () => {
    const claims = await inShop('get', 'pvc', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.status.phase} {end}');
    expect(claims.trim()).toBe('data-cache-0=Bound data-cache-1=Bound');
    const said = await inShop('exec', 'cache-0', '--', 'redis-cli', '-h', 'cache-1.cache', 'ping');
    expect(said.trim()).toBe('PONG');
  });

  it('scales, updates and rolls back', async () => {
    await inShop('scale', 'deployment/web', '--replicas=5');
    await inShop('rollout', 'status', 'deployment/web', '--timeout=40s');
    expect((await inShop('get', 'pods', '-l', 'app=web', '-o', 'name')).trim().split('\n')).toHaveLength(5);
    await inShop('set', 'image', 'deployment/web', 'nginx=nginx:1.27');
    await inShop('rollout', 'status', 'deployment/web', '--timeout=60s');
    const images = '-o=jsonpath={.items[*].spec.containers[0].image}';
    await cluster.until(['-n', 'shop', 'get', 'pods', '-l', 'app=web', images], (out) =>
      out.split(' ').every((image) => image === 'nginx:1.27'),
    );
    expect(await inShop('rollout', 'history', 'deployment/web')).toMatch(/REVISION[\s\S]*1[\s\S]*2/);
    await inShop('rollout', 'undo', 'deployment/web');
    await inShop('rollout', 'status', 'deployment/web', '--timeout=60s');
    await cluster.until(
      ['-n', 'shop', 'get', 'deploy', 'web', '-o=jsonpath={.spec.template.spec.containers[0].image}'],
      (out) => out === 'nginx:1.25',
    );
  });

  it('runs the CronJob when triggered', async () => {
    await inShop('create', 'job', '--from=cronjob/report', 'report-now');
    await inShop('wait', '--for=condition=complete', 'job/report-now', '--timeout=40s');
    expect(await inShop('logs', 'job/report-now')).toContain('reported');
  });

  it('deletes the namespace with all it holds', async () => {
    await cluster.ok('delete', 'namespace', 'shop', '--timeout=60s');
    const left = await cluster.kubectl('get', 'namespace', 'shop');
    expect(left.stderr).toContain('namespaces "shop" not found');
  });
});
