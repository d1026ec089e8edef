import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { kubectls, program, run, startTestCluster } from './harness.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'coracle-life-'));
const controlPlane = { args: ['--no-node'], dataDir };
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describe.skipIf(kubectls().length === 0)('the life of a cluster process', () => {
  it('keeps what was written through kill -9 and a clean stop', async () => {
    const first = await startTestCluster(controlPlane);
    await first.ok('create', 'configmap', 'kept', '--from-literal=a=b');
    await first.stop('SIGKILL');
    const second = await startTestCluster(controlPlane);
    expect(await second.ok('get', 'configmap', 'kept', '-o=jsonpath={.data.a}')).toBe('b');
    expect(await second.stop()).toBe(0);
    const third = await startTestCluster(controlPlane);
    expect(await third.ok('get', 'configmap', 'kept', '-o=name')).toBe('configmap/kept\n');
    await third.stop();
  });

  it('lets one process run on a data directory, and says so', async () => {
    const cluster = await startTestCluster(controlPlane);
    const again = await cluster.coracle('up', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--no-node');
    expect([again.code, again.stderr]).toEqual([
      1,
      `coracle: a cluster is already running on ${dataDir}; see coracle status\n`,
    ]);
    const other = mkdtempSync(join(tmpdir(), 'coracle-life-'));
    const taken = await cluster.coracle('up', '--data-dir', other, '--listen', new URL(cluster.url).host, '--no-node');
    rmSync(other, { recursive: true, force: true });
    expect(taken.code).toBe(1);
    expect(taken.stderr).toMatch(/^coracle: 127\.0\.0\.1:\d+ is in use; choose another with --listen ADDRESS:PORT\n$/);
    const status = await cluster.coracle('status', '--data-dir', dataDir);
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining(cluster.url)]);
    const down = await cluster.coracle('down', '--data-dir', dataDir);
    expect(down.stdout).toContain('stopped the cluster');
    expect((await cluster.coracle('status', '--data-dir', dataDir)).code).toBe(1);
  });

  it.each(kubectls())('answers %s', async (binary) => {
    const cluster = await startTestCluster(controlPlane);
    const ask = (...args: readonly string[]) => cluster.kubectlWith({ binary }, ...args);
    expect((await ask('get', 'namespaces', '--no-headers', '-o', 'custom-columns=N:.metadata.name')).stdout).toContain(
      'kube-system',
    );
    expect((await ask('auth', 'can-i', '*', '*')).stdout).toBe('yes\n');
    expect((await ask('explain', 'pod.spec.containers.image')).stdout).toMatch(/FIELD: +image <string>/);
    expect((await ask('create', 'deployment', 'web', '--image=nginx')).stdout).toBe('deployment.apps/web created\n');
    const refused = await cluster.kubectlWith(
      { binary, input: 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, imgae: b}]}\n' },
      'apply',
      '-f',
      '-',
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('unknown field "spec.containers[0].imgae"');
    const missing = await ask('get', 'pod', 'nope');
    expect(missing.stderr).toBe('Error from server (NotFound): pods "nope" not found\n');
    await cluster.stop();
    rmSync(join(dataDir, 'store'), { recursive: true, force: true });
  });

  it('goes on in the background with --detach, until down', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'coracle-life-'));
    const call = (...args: readonly string[]) => run(process.execPath, [program, ...args, '--data-dir', dir]);
    const up = await call('up', '--detach', '--quiet', '--no-node', '--listen', '127.0.0.1:0');
    expect([up.code, up.stderr]).toEqual([0, '']);
    const url = /^coracle is ready in .*: (https:\S+),/.exec(up.stdout)?.[1];
    const status = await call('status', '--output', 'json');
    expect(JSON.parse(status.stdout)).toMatchObject({ running: true, url });
    expect((await call('down')).code).toBe(0);
    const after = await call('status', '--output', 'json');
    expect([after.code, JSON.parse(after.stdout)]).toEqual([1, { running: false, dataDir: dir }]);
    rmSync(dir, { recursive: true, force: true });
  }, 120_000);

  it('says in one line what is wrong with its arguments', async () => {
    const cluster = await startTestCluster(controlPlane);
    for (const args of [['up', '--listen', 'nonsense'], ['up', '--runtime', 'docker'], ['sail']]) {
      const { code, stderr } = await cluster.coracle(...args);
      expect(code).toBe(1);
      expect(stderr.split('\n')[0]).toMatch(/nonsense|docker|sail/);
    }
    await cluster.stop();
  });
});
