import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Lifetime, startLifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import { keepConflist } from './real-network.ts';

const said: string[] = [];
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => void said.push(message),
  error: (message) => void said.push(message),
  with: () => log,
};
const directory = mkdtempSync(join(tmpdir(), 'coracle-cni-'));
const own = join(directory, '10-coracle.conflist');
let lifetime: Lifetime | undefined;
afterEach(async () => {
  await lifetime?.end();
  rmSync(directory, { recursive: true, force: true });
});

describe('the network configuration of a node', () => {
  it('is ours, with a range of each family, until the user puts one there, and again when that goes', async () => {
    lifetime = startLifetime(() => undefined);
    const give = keepConflist({ directory, dataDir: '/data', log, lifetime });
    await give([]);
    expect(existsSync(own)).toBe(false);
    await give(['10.244.3.0/24', 'fd00:3::/64']);
    const { plugins } = JSON.parse(readFileSync(own, 'utf8')) as { plugins: { type: string; ipam?: object }[] };
    expect(plugins.map((it) => it.type)).toEqual(['bridge', 'portmap']);
    expect(plugins[0]?.ipam).toMatchObject({
      ranges: [[{ subnet: '10.244.3.0/24' }], [{ subnet: 'fd00:3::/64' }]],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
    });
    writeFileSync(join(directory, '99-mine.conflist'), '{}');
    await expect.poll(() => existsSync(own), { timeout: 5000 }).toBe(false);
    await expect.poll(() => said).toContain('pods use the network configuration found here');
    rmSync(join(directory, '99-mine.conflist'));
    await expect.poll(() => existsSync(own), { timeout: 5000 }).toBe(true);
  });
});
