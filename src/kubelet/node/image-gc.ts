import type { Logger } from '../../base/log.ts';
import type { NodeRuntime } from '../../runtime/node-runtime.ts';

/** Percent of the image file system. Upstream's defaults: imageGCHighThresholdPercent 85, low 80. */
const high = 85;
const low = 80;

/**
 * Frees disk when the images' file system is above the high mark, the longest unused images first, until below the low one.
 * Returns the bytes freed and, where it was not enough, upstream's complaint. Upstream: pkg/kubelet/images/image_gc_manager.go.
 */
export async function collectImages(
  runtime: NodeRuntime,
  lastUsed: ReadonlyMap<string, number>,
  log: Logger,
  options: { /** Every unused image goes, whatever the disk's state. */ readonly all?: boolean } = {},
): Promise<{ readonly freed: number; readonly complaint?: string }> {
  const info = await runtime.images.imageFsInfo();
  const { totalBytes, freeBytes } = await runtime.files.capacity(info.mountpoint);
  if (totalBytes <= 0) return { freed: 0 };
  const usage = 100 - Math.floor((freeBytes * 100) / totalBytes);
  if (usage < high && !options.all) return { freed: 0 };
  const wanted = options.all ? Number.POSITIVE_INFINITY : Math.floor((totalBytes * (100 - low)) / 100 - freeBytes);
  const containers = await runtime.runtime.listContainers();
  const inUse = new Set(containers.flatMap((it) => [it.imageRef, it.image.image]));
  const candidates = (await runtime.images.listImages())
    .filter((it) => !it.pinned && ![it.id, ...it.repoTags, ...it.repoDigests].some((name) => inUse.has(name)))
    .sort((a, b) => (lastUsed.get(a.id) ?? 0) - (lastUsed.get(b.id) ?? 0));
  let freed = 0;
  for (const image of candidates) {
    if (freed >= wanted) break;
    try {
      await runtime.images.removeImage({ image: image.id });
      freed += image.sizeBytes;
    } catch (error) {
      log.warn('cannot remove an image', { image: image.id, error });
    }
  }
  return freed >= wanted || options.all
    ? { freed }
    : {
        freed,
        complaint: `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`,
      };
}
