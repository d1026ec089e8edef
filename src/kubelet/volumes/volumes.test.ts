import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import { createSimNodeFiles } from '../../runtime/sim/vfs/sim-node-files.ts';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { configMapPayload, tokenRefreshAt } from './payload.ts';
import { prepareSubPath } from './sub-path.ts';

const setup = async () => {
  const { files } = createSimNodeFiles(() => 0, 2 ** 30);
  await files.mkdir('/v');
  let now = 0;
  const random = seededRandom(1);
  const write = (content: Record<string, string>, fsGroup?: number) => {
    now += 1000;
    return writeAtomically(
      files,
      '/v',
      new Map(Object.entries(content).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o600 }])),
      { now, random, ...(fsGroup !== undefined && { fsGroup }) },
    );
  };
  return { files, write };
};

describe('atomic writer', () => {
  it('swaps all files at once and removes what is gone', async () => {
    const { files, write } = await setup();
    expect(await write({ a: '1', 'dir/b': '2' })).toBe(true);
    expect(await files.readlink('/v/a')).toBe('..data/a');
    expect((await files.read('/v/dir/b')).toString()).toBe('2');
    expect(await write({ a: '1', 'dir/b': '2' })).toBe(false);
    expect(await write({ a: '3' })).toBe(true);
    expect((await files.read('/v/a')).toString()).toBe('3');
    expect((await files.list('/v')).filter((it) => !it.startsWith('..'))).toEqual(['a']);
    expect((await files.list('/v')).filter((it) => /^\.\.\d/.test(it)).length).toBe(1);
  });
  it('gives the group its rights', async () => {
    const { files, write } = await setup();
    await write({ a: '1' }, 77);
    expect(await files.stat('/v/a')).toMatchObject({ mode: 0o640, gid: 77 });
    expect(await write({ a: '1' }, 77)).toBe(false);
  });
  it.each(['/abs', '../up', '..hidden', ''])('refuses %j', async (path) => {
    const { write } = await setup();
    await expect(write({ [path]: 'x' })).rejects.toThrow('invalid path');
  });
});

describe('paths on the node', () => {
  it('checks host path types in upstream words', async () => {
    const { files } = createSimNodeFiles(() => 0, 2 ** 30);
    await files.write('/f', '');
    await expect(checkHostPath(files, '/f', 'Directory')).rejects.toThrow(
      'hostPath type check failed: /f is not a directory',
    );
    await expect(checkHostPath(files, '/none', 'File')).rejects.toThrow(
      'hostPath type check failed: /none is not a file',
    );
    await expect(checkHostPath(files, '/f', 'Socket')).rejects.toThrow(
      'hostPath type check failed: /f is not a socket file',
    );
    await checkHostPath(files, '/made/dir', 'DirectoryOrCreate');
    await checkHostPath(files, '/anything', '');
    expect((await files.stat('/made/dir'))?.type).toBe('directory');
  });
  it('keeps sub paths inside their volume', async () => {
    const { files } = createSimNodeFiles(() => 0, 2 ** 30);
    await files.mkdir('/v/real');
    await files.symlink('real', '/v/link');
    await files.symlink('/etc', '/v/out');
    expect(await prepareSubPath(files, '/v', 'link', 'm', 'c')).toBe('/v/real');
    expect(await prepareSubPath(files, '/v', 'new/dir', 'm', 'c')).toBe('/v/new/dir');
    await expect(prepareSubPath(files, '/v', 'out/passwd', 'm', 'c')).rejects.toThrow(
      'failed to prepare subPath for volumeMount "m" of container "c"',
    );
    await expect(prepareSubPath(files, '/v', '../x', 'm', 'c')).rejects.toThrow("must not contain '..'");
  });
});

describe('payloads', () => {
  it('projects chosen keys', () => {
    const map = { data: { k: 'v' }, binaryData: { b: Buffer.from([1]).toString('base64') } };
    expect([...configMapPayload(map, undefined, 0o644, false).keys()]).toEqual(['k', 'b']);
    expect(configMapPayload(map, [{ key: 'k', path: 'x/y', mode: 0o400 }], 0o644, false).get('x/y')).toMatchObject({
      mode: 0o400,
    });
    expect(() => configMapPayload(map, [{ key: 'z', path: 'z' }], 0o644, false)).toThrow(
      'configmap references non-existent config key: z',
    );
    expect(configMapPayload(map, [{ key: 'z', path: 'z' }], 0o644, true).size).toBe(0);
  });
  it('renews tokens at four fifths of their life', () => {
    const request = {
      spec: { expirationSeconds: 1000 },
      status: { expirationTimestamp: new Date(1_000_000).toISOString() },
    };
    expect(tokenRefreshAt(request as never, 0)).toBe(800_000);
  });
});
