import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cgroups, cpuWeight } from './cgroups.ts';

const roots: string[] = [];
const makeRoot = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'coracle-cgroup-'));
  roots.push(root);
  return root;
};
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});
const resources = { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryLimitInBytes: 1024 };

describe('control groups', () => {
  it('of version 1: one directory in each hierarchy', async () => {
    const root = makeRoot();
    for (const name of ['cpu', 'memory', 'pids', 'blkio']) mkdirSync(join(root, name));
    const groups = cgroups(root);
    await groups.ensure('/k/pod1', resources);
    const read = (file: string): string => readFileSync(join(root, file), 'utf8');
    expect(read('cpu/k/pod1/cpu.shares')).toBe('512');
    expect(read('cpu/k/pod1/cpu.cfs_quota_us')).toBe('50000');
    expect(read('memory/k/pod1/memory.limit_in_bytes')).toBe('1024');
    await groups.ensure('/k/pod1', {});
    expect(read('memory/k/pod1/memory.limit_in_bytes')).toBe('-1');
  });

  it('of version 2: parents pass the controllers on', async () => {
    const root = makeRoot();
    writeFileSync(join(root, 'cgroup.controllers'), 'cpu memory pids');
    const groups = cgroups(root);
    await groups.ensure('/k/pod1', resources);
    const read = (file: string): string => readFileSync(join(root, file), 'utf8');
    expect(read('k/pod1/cpu.max')).toBe('50000 100000');
    expect(read('k/pod1/memory.max')).toBe('1024');
    expect(read('k/pod1/cpu.weight')).toBe('20');
    expect(read('k/cgroup.subtree_control')).toBe('+cpu +memory +pids');
    writeFileSync(join(root, 'k/pod1/cgroup.procs'), '12\n');
    mkdirSync(join(root, 'k/pod1/c'));
    writeFileSync(join(root, 'k/pod1/c/cgroup.procs'), '13\n');
    expect(await groups.processes('/k')).toEqual([]);
    expect(await groups.processes('/k/pod1')).toEqual([12, 13]);
  });

  it('are removed from the leaves up; what is not there is fine', async () => {
    const root = makeRoot();
    mkdirSync(join(root, 'cpu/k/pod1/c'), { recursive: true });
    await cgroups(root).remove('/k');
    expect(existsSync(join(root, 'cpu/k'))).toBe(false);
    await cgroups(root).remove('/k');
  });

  it('weighs shares as the kubelet does', () => {
    expect([2, 1024, 262_144].map(cpuWeight)).toEqual([1, 39, 10_000]);
  });
});
