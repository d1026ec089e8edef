import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { askCluster, type ControlStatus, holdDataDir } from './control-socket.ts';

const status: ControlStatus = {
  pid: 1,
  url: 'https://127.0.0.1:6443',
  runtime: 'sim',
  nodes: 1,
  startedAt: '2026-01-01T00:00:00Z',
  ready: true,
};
const dirs: string[] = [];
const fresh = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'coracle-control-'));
  dirs.push(dir);
  return dir;
};
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describe('the control socket', () => {
  it('lets one process hold a data directory, answers status, passes stop on', async () => {
    const dir = fresh();
    let stopped = 0;
    const held = await holdDataDir(dir, { status: () => status, spans: () => [], stop: () => void stopped++ });
    expect(await holdDataDir(dir, { status: () => status, spans: () => [], stop: () => undefined })).toBeUndefined();
    expect(await askCluster(dir, 'status')).toEqual(status);
    await askCluster(dir, 'stop');
    expect(stopped).toBe(1);
    await held?.release();
    expect(await askCluster(dir, 'status')).toBeUndefined();
  });

  it('takes over what a killed process left behind', async () => {
    const dir = fresh();
    writeFileSync(join(dir, 'control.sock'), '');
    const held = await holdDataDir(dir, { status: () => status, spans: () => [], stop: () => undefined });
    expect(held).toBeDefined();
    await held?.release();
  });
});
