import { fromSpec, fromWaiting } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { parseImage } from '../../text/image-reference.ts';
import { imageFault, pullExample, runningPod } from './example.ts';

/** What is wrong with the text, and what it was surely meant to be, where that can be told. */
function diagnoseName(image: string): { readonly why: string; readonly better?: string } {
  const placeholder = /\$\{?[A-Za-z_]\w*\}?|\{\{.*?\}\}|<[A-Za-z_-]+>/.exec(image)?.[0];
  if (placeholder) return { why: `the placeholder ${placeholder} was never filled in` };
  if (/^https?:\/\//.test(image))
    return { why: 'it begins with a URL scheme', better: image.replace(/^https?:\/\//, '') };
  if (/\s/.test(image)) return { why: 'it holds a blank', better: image.replaceAll(/\s/g, '') };
  if (/:$/.test(image)) return { why: 'nothing follows the colon', better: image.replace(/:+$/, '') };
  if (image.includes('::')) return { why: 'it has two colons in a row', better: image.replace(/:+/g, ':') };
  if (image !== image.toLowerCase()) {
    const colon = image.lastIndexOf(':');
    const cut = colon > image.lastIndexOf('/') ? colon : image.length;
    return { why: 'repository names are lower case', better: image.slice(0, cut).toLowerCase() + image.slice(cut) };
  }
  return { why: 'it is no image name' };
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const { image } = container;
      const waits = container.waiting?.reason === 'InvalidImageName';
      if (!waits && !(pod.planned && image !== '' && parseImage(image) === undefined)) continue;
      const { why, better } = diagnoseName(image);
      const good = better !== undefined && parseImage(better) ? better : undefined;
      const change = good
        ? editPodSpec(snapshot, pod, [{ path: ['image'], value: good, was: image }], container.name)
        : undefined;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The text "${image}" cannot be the name of an image: ${why}${good ? ` (did you mean ${good}?)` : ''}.`,
        evidence: [
          ...(waits ? [fromWaiting(pod, container)] : []),
          fromSpec(pod.ref, `image: ${image}`, `spec.${container.path}.image`),
        ],
        field: containerField(pod, container, 'image'),
        remedy: {
          says: good ? `Write ${good}.` : 'Correct the image’s name: [HOST[:PORT]/]NAME[:TAG], in lower case.',
          commands: [
            `kubectl set image ${pod.workload.kind.toLowerCase()}/${pod.workload.name} ${container.name}=${good ?? 'IMAGE:TAG'} -n ${pod.namespace}`,
          ],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
}

const message = (image: string, rest = ''): string =>
  `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format${rest}`;

export const imageNameInvalid: Rule = {
  id: 'image-name-invalid',
  title: 'The image’s name is malformed',
  phase: 'image',
  codes: ['IMG-12'],
  symptoms: ['InvalidImageName', 'InspectFailed', 'invalid reference format'],
  severity: 'error',
  lint: 'manifest',
  rank: 95,
  meaning:
    'The text does not follow the form of image names, so nothing was asked of any registry. Frequent reasons: capitals, blanks, a URL scheme, a lone colon, a template’s placeholder that was never filled in.',
  tell: 'The waiting reason is `InvalidImageName`.',
  fix: 'Correct the name.',
  sick: [
    {
      when: 'the name has capitals',
      yaml: pullExample('Nginx:1.27', message('Nginx:1.27', ': repository name (library/Nginx) must be lowercase'), {
        reason: 'InvalidImageName',
        bare: true,
      }),
      says: 'did you mean nginx:1.27',
    },
    {
      when: 'a placeholder was left',
      yaml: pullExample('shop:${TAG}', message('shop:${TAG}'), { reason: 'InvalidImageName', bare: true }),
      says: '${TAG}',
    },
    {
      when: 'a manifest holds such a name',
      stage: 'manifests',
      yaml: imageFault('https://ghcr.io/acme/shop:2'),
      says: 'did you mean ghcr.io/acme/shop:2',
    },
  ],
  healthy: [
    {
      when: 'the name has port, digest and tag',
      yaml: runningPod('web', `localhost:5000/a/b:1@sha256:${'0'.repeat(64)}`),
    },
  ],
  fault: { manifest: imageFault('Nginx:1.27'), runtimes: ['sim', 'containerd'], fixable: true },
  check,
};
