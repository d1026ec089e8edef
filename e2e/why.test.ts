import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from './harness.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.dispose());

/** Asks `why` again until the answer holds this. */
async function whyUntil(text: string, ...args: readonly string[]): Promise<string> {
  for (let i = 0; i < 60; i++) {
    const { stdout } = await cluster.coracle('why', ...args);
    if (stdout.includes(text)) return stdout;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`never said: ${text}`);
}

test('an empty cluster is healthy: exit 0', async () => {
  const { code, stdout } = await cluster.coracle('why', '-A');
  expect(stdout).toContain('Healthy');
  expect(code).toBe(0);
});

test('a provoked fault is named with its place in the file, repaired with --fix, and cleaned up', async () => {
  expect((await cluster.coracle('fault', 'start', 'configmap-missing')).code).toBe(0);
  const namespace = 'fault-configmap-missing';
  const said = await whyUntil('CreateContainerConfigError', '-n', namespace);
  expect(said).toMatch(/did\s+you\s+mean\s+greeting-configuration/);

  const file = join(cluster.dataDir, 'web.yaml');
  writeFileSync(file, await cluster.ok('get', 'deployment', 'web', '-n', namespace, '-o', 'yaml'));
  const { code, stdout } = await cluster.coracle('why', 'deploy/web', '-n', namespace, '-f', file, '--explain');
  expect(code).toBe(1);
  expect(stdout).toMatch(/web\.yaml:\d+:\d+/);
  expect(stdout).toContain('kubectl describe pod');

  const fixed = await cluster.coracle('why', '-n', namespace, '--fix', '--yes');
  expect(fixed.stdout).toContain('+                 name: greeting-configuration');
  expect(fixed.stdout).toContain('Healthy now.');
  expect(fixed.code).toBe(0);

  expect((await cluster.coracle('fault', 'stop', 'configmap-missing')).code).toBe(0);
  expect(await cluster.ok('get', 'namespaces', '-o', 'name')).not.toContain(namespace);
}, 120_000);

test('what cannot be looked at is exit 2, one clear line', async () => {
  const none = await cluster.coracle('why', 'pod/nobody');
  expect(none).toMatchObject({
    code: 2,
    stderr: 'coracle why: cannot look: there is no Pod "nobody" in namespace default\n',
  });
  const typo = await cluster.coracle('why', 'deploymnet/web');
  expect(typo.stderr).toContain('did you mean deployment?');
  const away = await cluster.coracle('why', '--kubeconfig', '/nowhere');
  expect(away.code).toBe(2);
});
