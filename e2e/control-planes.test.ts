import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type EtcdCluster, hasEtcd, startEtcd } from '../testing/etcd-process.ts';
import { kubectls, program, run } from './harness.ts';

const dir = mkdtempSync(join(tmpdir(), 'coracle-planes-'));
const children: ChildProcess[] = [];
let etcd: EtcdCluster | undefined;
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await etcd?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts `coracle up` and waits for its ready line. */
function up(dataDir: string, ...args: readonly string[]): Promise<ChildProcess> {
  const all = [program, 'up', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--no-node', ...args];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let said = '';
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      if (/is ready/.test(said)) resolve(child);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`coracle up ended with ${code}: ${said}`)));
  });
}

describe.skipIf(!hasEtcd() || kubectls().length === 0)('two control planes (needs Debian etcd-server, kubectl)', () => {
  it('share one cluster, and the second takes over from a killed first, with nothing done twice', async () => {
    etcd = await startEtcd();
    const one = join(dir, 'one');
    const two = join(dir, 'two');
    const first = await up(one, '--store', 'etcd', '--etcd-endpoints', etcd.endpoints.join(','));
    const offer = await run(process.execPath, [program, 'token', 'control-plane', '--data-dir', one]);
    expect(offer).toMatchObject({ code: 0, stderr: '' });
    const [, , ...joining] = offer.stdout.trim().split(' ');
    await up(two, ...joining);
    const kubectl = async (dataDir: string, ...args: readonly string[]): Promise<string> => {
      const done = await run(kubectls()[0] ?? 'kubectl', ['--kubeconfig', join(dataDir, 'kubeconfig'), ...args]);
      return done.code === 0 ? done.stdout.trim() : `failed: ${done.stderr}`;
    };
    const podsOf = async (app: string): Promise<number> =>
      (await kubectl(two, 'get', 'pods', '-l', `app=${app}`, '-o', 'name')).split('\n').filter(Boolean).length;
    const until = async (condition: () => Promise<boolean>): Promise<void> => {
      for (;;) if (await condition()) return;
    };
    expect(await kubectl(one, 'create', 'deployment', 'a', '--image=x', '--replicas=2')).toMatch(/created/);
    await until(async () => (await podsOf('a')) === 2);
    expect(
      (await kubectl(two, 'get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].ports[*].port}')).split(' '),
    ).toHaveLength(2);

    first.removeAllListeners('exit');
    first.kill('SIGKILL');
    expect(await kubectl(two, 'create', 'deployment', 'b', '--image=x', '--replicas=3')).toMatch(/created/);
    await until(async () => (await podsOf('b')) === 3);
    await until(
      async () =>
        !(await kubectl(two, 'get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].ports[*].port}')).includes(
          ' ',
        ),
    );
    const created = await kubectl(
      two,
      'get',
      'events',
      '--field-selector=reason=SuccessfulCreate',
      '-o',
      'jsonpath={.items[*].count}',
    );
    expect(created.split(' ').reduce((total, count) => total + Number(count || 1), 0)).toBe(5);
    expect(await podsOf('a')).toBe(2);
  }, 180_000);
});
