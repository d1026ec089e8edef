import type { ImageService } from '../cri.ts';
import type { Service } from './channel.ts';
import { imageFromWire, type WireImage } from './from-wire.ts';
import { sandboxToWire } from './to-wire.ts';

interface WireFs {
  readonly fsId: { readonly mountpoint: string } | null;
  readonly usedBytes: { readonly value: string } | null;
  readonly inodesUsed: { readonly value: string } | null;
}

/** CRI's ImageService over gRPC. A pull has no deadline: its size is the registry's affair. */
export function criImageService(service: Service): ImageService {
  return {
    async listImages() {
      const { images } = await service.call<{ images: readonly WireImage[] }>('ListImages', {});
      return images.map(imageFromWire);
    },
    async imageStatus(image) {
      const { image: found } = await service.call<{ image: WireImage | null }>('ImageStatus', { image });
      return found ? imageFromWire(found) : undefined;
    },
    async pullImage(image, auth, sandbox) {
      const request = { image, ...(auth && { auth }), sandboxConfig: sandboxToWire(sandbox) };
      return (await service.call<{ imageRef: string }>('PullImage', request, 0)).imageRef;
    },
    removeImage: async (image) => void (await service.call('RemoveImage', { image })),
    async imageFsInfo() {
      const { imageFilesystems } = await service.call<{ imageFilesystems: readonly WireFs[] }>('ImageFsInfo', {});
      const first = imageFilesystems[0];
      return {
        mountpoint: first?.fsId?.mountpoint ?? '',
        usedBytes: Number(first?.usedBytes?.value ?? 0),
        inodesUsed: Number(first?.inodesUsed?.value ?? 0),
      };
    },
  };
}
