import { type ImageFiles, imageTree } from '../vfs/image-tree.ts';
import type { Inode } from '../vfs/inode.ts';
import type { SimImage } from './sim-image.ts';

const trees = new WeakMap<ImageFiles, Inode>();

/** The tree of files, built when first asked for and shared by all images (and containers) with the same files. */
export function sharedTree(files: () => ImageFiles): () => Inode {
  let own: ImageFiles | undefined;
  return () => {
    own ??= files();
    const known = trees.get(own);
    if (known) return known;
    const tree = imageTree(own);
    trees.set(own, tree);
    return tree;
  };
}

/** Files worked out once. */
export function once<T>(make: () => T): () => T {
  let value: { readonly it: T } | undefined;
  return () => {
    value ??= { it: make() };
    return value.it;
  };
}

export type ImageSettings = Omit<SimImage, 'repository' | 'tags' | 'tree'> & { readonly files: () => ImageFiles };

/**
 * The images of one repository: a group of tags each. `make` gets a group's first tag. Every home is a full repository name
 * under which the same images are found.
 */
export function imageFamily(
  homes: readonly string[],
  groups: readonly string[],
  make: (version: string) => ImageSettings,
): readonly SimImage[] {
  return groups.flatMap((group) => {
    const tags = group.split(' ');
    const { files, ...settings } = make(tags[0] ?? 'latest');
    const tree = sharedTree(files);
    return homes.map((repository) => ({ repository, tags, tree, ...settings }));
  });
}

/** Where official images are found besides Docker Hub. */
export const official = (name: string): readonly string[] => [
  `docker.io/library/${name}`,
  `public.ecr.aws/docker/library/${name}`,
  `mirror.gcr.io/library/${name}`,
];
