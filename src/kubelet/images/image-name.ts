/** An image reference taken apart. */
export interface ImageName {
  /** With registry: `docker.io/library/nginx`. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domain =
  '(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?';
const reference = new RegExp(
  `^((?:${domain}/)?${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);

const invalid = (image: string, why: string): Error =>
  new Error(`couldn't parse image name ${JSON.stringify(image)}: ${why}`);

/** Throws with upstream's text (distribution/reference, pkg/util/parsers). The tag is `latest` where neither tag nor digest is given. */
export function parseImageName(image: string): ImageName {
  if (/^[a-f0-9]{64}$/.test(image))
    throw invalid(image, `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let registry = hasDomain ? first : 'docker.io';
  let rest = hasDomain ? image.slice(slash + 1) : image;
  if (registry === 'index.docker.io') registry = 'docker.io';
  if (registry === 'docker.io' && !rest.includes('/')) rest = `library/${rest}`;
  const colon = rest.indexOf(':');
  const remote = colon < 0 ? rest : rest.slice(0, colon);
  if (remote.toLowerCase() !== remote)
    throw invalid(image, `invalid reference format: repository name (${remote}) must be lowercase`);
  const match = reference.exec(`${registry}/${rest}`);
  if (!match) throw invalid(image, 'invalid reference format');
  const [, repository = '', tag = '', digest = ''] = match;
  return { repository, tag: tag === '' && digest === '' ? 'latest' : tag, digest };
}

/** The image with `:latest` where it names neither tag nor digest. */
export function withDefaultTag(image: string): string {
  const { tag, digest } = parseImageName(image);
  return digest === '' && tag !== '' && !image.endsWith(`:${tag}`) ? `${image}:${tag}` : image;
}
