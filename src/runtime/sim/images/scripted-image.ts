import { busyboxFiles } from './base-files.ts';
import { once, sharedTree } from './define.ts';
import type { SimImage } from './sim-image.ts';

const tree = sharedTree(once(() => ({ ...busyboxFiles, '/scripted': { program: 'scripted' } })));

/** The image behind a name that only a pod's annotations know: busybox's files, and a command that does as scripted. */
export const scriptedImage = (repository: string, tag: string): SimImage => ({
  repository,
  tags: [tag],
  tree,
  cmd: ['/scripted'],
  env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  sizeBytes: 10_000_000,
});
