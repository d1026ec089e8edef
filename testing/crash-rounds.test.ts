import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemRandom } from '../src/base/random.ts';
import { crashRounds } from './crash-rounds.ts';
import { etcdFaults } from './etcd-faults.ts';
import { hasEtcd } from './etcd-process.ts';

it('the embedded store keeps every acknowledged write over ten kills', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'coracle-crash-'));
  try {
    const report = await crashRounds(dir, 10, systemRandom());
    expect(report.faults).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(10);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 120_000);

it.skipIf(!hasEtcd())(
  'etcd under faults looks like one register (needs Debian etcd-server)',
  async () => {
    const report = await etcdFaults({ seconds: 8, random: systemRandom() });
    expect(report.wrong).toEqual([]);
    expect(report.operations).toBeGreaterThan(10);
  },
  120_000,
);
