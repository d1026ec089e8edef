import { baseImages } from './base-images.ts';
import { once } from './define.ts';
import { nginxImages } from './nginx-image.ts';
import { serverImages } from './server-images.ts';
import type { SimImage } from './sim-image.ts';
import { smallImages } from './small-images.ts';

/** Every image that the virtual registry has from the start. Their trees are built when first used. */
export const builtinImages: () => readonly SimImage[] = once(() => [
  ...baseImages(),
  ...nginxImages(),
  ...smallImages(),
  ...serverImages(),
]);
