import { type Clock, sleep } from '../../../base/clock.ts';
import { CriError, type Image, type ImageService } from '../../cri.ts';
import { imageByAnnotation } from '../images/script-annotations.ts';
import { scriptedImage } from '../images/scripted-image.ts';
import { parseRegistryFault, registryAnnotation } from '../pull-faults.ts';
import { parseReference, type ResolvedImage, type SimRegistry } from '../sim-registry.ts';

interface Stored {
  readonly resolved: ResolvedImage;
  readonly tags: Set<string>;
  readonly digests: Set<string>;
}

/** The images that a simulated node has pulled. Their files exist once for all nodes. */
export interface ImageStore extends ImageService {
  /** By id, by name or by digest. */
  find(name: string): ResolvedImage | undefined;
  /** Bytes of all images. */
  usedBytes(): number;
}

function imageOf({ resolved, tags, digests }: Stored): Image {
  const { image, id } = resolved;
  const user = (image.user ?? '').split(':')[0] ?? '';
  const numeric = /^\d+$/.test(user);
  return {
    id,
    repoTags: [...tags],
    repoDigests: [...digests],
    sizeBytes: image.sizeBytes,
    ...(numeric && { uid: Number(user) }),
    username: numeric ? '' : user,
    pinned: false,
  };
}

/** An empty store that pulls from `registry`. */
export function createImageStore(registry: SimRegistry, clock: Clock): ImageStore {
  const byId = new Map<string, Stored>();
  const byName = new Map<string, Stored>();
  const stored = (name: string): Stored | undefined => {
    const known = byId.get(name) ?? byName.get(name);
    if (known) return known;
    const reference = parseReference(name);
    if ('error' in reference) return undefined;
    return byName.get(reference.digest === undefined ? reference.full : `${reference.repository}@${reference.digest}`);
  };
  const usedBytes = (): number => [...byId.values()].reduce((sum, { resolved }) => sum + resolved.image.sizeBytes, 0);
  return {
    find: (name) => stored(name)?.resolved,
    usedBytes,
    listImages: async () => [...byId.values()].map(imageOf),
    async imageStatus({ image }) {
      const found = stored(image);
      return found && imageOf(found);
    },
    async pullImage({ image: name }, auth, sandbox) {
      const resolved = registry.resolve(
        name,
        auth,
        parseRegistryFault(sandbox.annotations[registryAnnotation]),
        ({ repository, tag }) =>
          imageByAnnotation(sandbox.annotations, repository, tag)
            ? scriptedImage(repository, tag ?? 'latest')
            : undefined,
      );
      if (resolved.slowMs > 0) await sleep(clock, resolved.slowMs);
      let entry = byId.get(resolved.id);
      if (!entry) {
        entry = { resolved, tags: new Set(), digests: new Set() };
        byId.set(resolved.id, entry);
      }
      const digest = `${resolved.repository}@${resolved.digest}`;
      entry.digests.add(digest);
      byName.set(digest, entry);
      if (resolved.tag !== undefined) {
        const tag = `${resolved.repository}:${resolved.tag}`;
        byName.get(tag)?.tags.delete(tag);
        entry.tags.add(tag);
        byName.set(tag, entry);
      }
      return resolved.id;
    },
    async removeImage({ image }) {
      const entry = stored(image);
      if (!entry) return;
      byId.delete(entry.resolved.id);
      for (const name of [...entry.tags, ...entry.digests]) if (byName.get(name) === entry) byName.delete(name);
    },
    async imageFsInfo() {
      return { mountpoint: '/var/lib/containerd', usedBytes: usedBytes(), inodesUsed: byId.size * 1000 };
    },
  };
}

/** containerd's error for a container whose image is not there. */
export const imageAbsent = (name: string): CriError =>
  new CriError('NotFound', `failed to resolve image "${name}": not found`);
