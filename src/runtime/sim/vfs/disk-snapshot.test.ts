import { describe, expect, it } from 'vitest';
import { restoreDisk, saveDisk } from './disk-snapshot.ts';
import { createSimNodeFiles } from './sim-node-files.ts';

const disk = (): ReturnType<typeof createSimNodeFiles> => createSimNodeFiles(() => 0, 2 ** 30);

describe('the disk of a simulated node', () => {
  it('keeps files, links, modes and sizes over a restart, and leaves out what a boot makes anew', async () => {
    const before = disk();
    await before.files.mkdir('/data/volumes/pvc-1', 0o770);
    await before.files.write('/data/volumes/pvc-1/dump', 'kept', 0o600);
    await before.files.write('/data/volumes/pvc-1/zeros', new Uint8Array(200_000));
    await before.files.symlink('dump', '/data/volumes/pvc-1/latest');
    await before.files.mkdir('/var/lib/kubelet/pods/x');
    await before.files.write('/var/lib/kubelet/pods/x/secret', 'not kept');
    const bytes = saveDisk(before.space.root);
    expect(bytes?.length).toBeLessThan(5000);
    const after = disk();
    restoreDisk(after.disk, after.space.root, bytes ?? new Uint8Array());
    expect((await after.files.read('/data/volumes/pvc-1/latest')).toString()).toBe('kept');
    expect(await after.files.stat('/data/volumes/pvc-1')).toMatchObject({ type: 'directory', mode: 0o770 });
    expect(await after.files.stat('/data/volumes/pvc-1/dump')).toMatchObject({ size: 4, mode: 0o600 });
    expect(await after.files.stat('/data/volumes/pvc-1/zeros')).toMatchObject({ size: 200_000 });
    expect(await after.files.stat('/var/lib/kubelet/pods/x/secret')).toBeUndefined();
    expect(after.disk.used).toBeGreaterThan(200_000);
  });

  it('of a node that was not written to is nothing', () => {
    expect(saveDisk(disk().space.root)).toBeUndefined();
  });
});
