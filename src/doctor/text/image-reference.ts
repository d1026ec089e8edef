/** The parts of an image's name, with what Docker's and containerd's rules add. */
export interface ImageReference {
  /** `docker.io` where none was written. */
  readonly host: string;
  /** `library/nginx` for `nginx`. */
  readonly repository: string;
  /** `latest` where neither tag nor digest was written. */
  readonly tag?: string;
  readonly digest?: string;
  /** True when the name itself says where it lives. */
  readonly qualified: boolean;
  /** True when a tag or digest was written. */
  readonly pinned: boolean;
}

const pathPart = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagForm = /^[A-Za-z0-9_][\w.-]{0,127}$/;
const digestForm = /^[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,}$/;
const hostForm =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/;

/** Reads an image's name (github.com/distribution/reference, normalize.go). Undefined where it is malformed. */
export function parseImage(text: string): ImageReference | undefined {
  const [name = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !digestForm.test(digest))) return undefined;
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const qualified = first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const host = qualified ? first : 'docker.io';
  if (qualified && !hostForm.test(first)) return undefined;
  const rest = qualified ? name.slice(slash + 1) : name;
  const colon = rest.lastIndexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (tag !== undefined && !tagForm.test(tag)) return undefined;
  if (!path.split('/').every((part) => pathPart.test(part))) return undefined;
  const hub = host === 'docker.io' || host === 'index.docker.io';
  return {
    host: hub ? 'docker.io' : host,
    repository: hub && !path.includes('/') ? `library/${path}` : path,
    ...(tag !== undefined ? { tag } : digest === undefined && { tag: 'latest' }),
    ...(digest !== undefined && { digest }),
    qualified,
    pinned: tag !== undefined || digest !== undefined,
  };
}

/** `docker.io/library/nginx`: the same for all spellings of one repository. */
export const repositoryKey = (it: ImageReference): string => `${it.host}/${it.repository}`;

/** The name written with another tag, otherwise as the user wrote it. */
export function withTag(text: string, tag: string): string {
  const bare = text.split('@')[0] ?? text;
  const colon = bare.lastIndexOf(':');
  return `${colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare}:${tag}`;
}
