import { maxNodeScore, type Plugin } from '../framework.ts';
import { normalizedImage } from '../node-info.ts';

const mebibyte = 1024 * 1024;
const least = 23 * mebibyte;
const mostForContainer = 1000 * mebibyte;

/** Prefers nodes that hold the pod's images already, weighted by size and by how common the image is. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  score({ pod, snapshot }, node) {
    const spec = pod.pod.spec;
    if (node.images.size === 0) return 0;
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    const images = containers.map((it) => it.image ?? '');
    for (const volume of spec?.volumes ?? []) if (volume.image?.reference) images.push(volume.image.reference);
    let sum = 0;
    for (const image of images) {
      const name = normalizedImage(image);
      const size = node.images.get(name);
      if (size !== undefined) sum += Math.trunc((size * snapshot.imageNodes(name)) / snapshot.nodes.length);
    }
    const most = mostForContainer * containers.length;
    const clamped = Math.min(Math.max(sum, least), most);
    return Math.trunc((maxNodeScore * (clamped - least)) / (most - least));
  },
};
