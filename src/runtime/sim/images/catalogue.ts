import { imageTree } from '../vfs/image-tree.ts';
import type { SimImage } from './sim-image.ts';

const busybox = (): ReturnType<typeof imageTree> =>
  imageTree({
    '/bin/sh': { program: 'busybox' },
    '/bin/sleep': { program: 'busybox' },
    '/bin/cat': { program: 'busybox' },
    '/tmp': { directory: true, mode: 0o1777 },
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/group': 'root:x:0:\n',
  });

/** The images that the simulated registries hold from the start. */
export function builtinImages(): readonly SimImage[] {
  return [
    {
      repository: 'docker.io/library/busybox',
      tags: ['1.36', 'latest'],
      tree: busybox,
      cmd: ['sh'],
      sizeBytes: 2_200_000,
    },
    {
      repository: 'registry.k8s.io/pause',
      tags: ['3.9', '3.10'],
      tree: () => imageTree({ '/pause': { program: 'pause', memoryKiB: 300 } }),
      entrypoint: ['/pause'],
      sizeBytes: 320_000,
    },
  ];
}
