import { pullExample } from './example.ts';
import { pullRule } from './pull-rule.ts';

const image = 'acme/legacy:1';

export const imageSchemaTooOld = pullRule({
  id: 'image-schema-too-old',
  title: 'The image is in a format that the runtime no longer reads',
  codes: ['IMG-16'],
  symptoms: ['is no longer supported since containerd v2.0'],
  rank: 91,
  causes: ['schema'],
  meaning: 'The image was pushed in Docker’s schema 1, which containerd reads no more since version 2.0.',
  tell: 'The media type `application/vnd.docker.distribution.manifest.v1+prettyjws` in the message.',
  fix: 'Build and push the image again with a present-day tool.',
  sick: [
    {
      when: 'the manifest is schema 1',
      yaml: pullExample(
        image,
        `rpc error: code = Unimplemented desc = failed to pull and unpack image "docker.io/${image}": not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.0, please rebuild the image as "application/vnd.docker.distribution.manifest.v2+json" or "application/vnd.oci.image.manifest.v1+json"`,
      ),
      says: 'acme/legacy:1',
    },
  ],
  claim: (it) => ({
    says: `The image ${it.image} is in Docker's old schema 1 format, which the node's container runtime no longer reads.`,
    cause: it.image,
    fix: 'Rebuild the image, or convert it with a tool that still reads schema 1.',
    commands: [`skopeo copy --format v2s2 docker://${it.image} docker://${it.image}`],
  }),
});
