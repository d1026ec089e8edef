import { createHash } from 'node:crypto';
import { type AuthConfig, CriError } from '../cri.ts';
import type { SimImage } from './images/sim-image.ts';
import type { Program, ProgramTable } from './kernel/workload.ts';

/** What is wrong with a registry, for tests and lessons. */
export type RegistryFault =
  /** Wants credentials, and takes none. */
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'rate-limited' }
  /** Nobody listens there. */
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'no-such-host' }
  | { readonly kind: 'server-error' }
  /** The image was not built for this node's processors. */
  | { readonly kind: 'wrong-architecture' }
  /** The pull takes so long. */
  | { readonly kind: 'slow'; readonly ms: number };

/** The registries that simulated nodes pull from. */
export interface SimRegistry {
  /** Adds an image or replaces it. */
  add(image: SimImage): void;
  remove(repository: string, tag?: string): void;
  /** Breaks a host (`docker.io`) or a repository (`docker.io/library/nginx`); undefined mends it. */
  fault(target: string, fault: RegistryFault | undefined): void;
  /** Finds an image as the runtime's resolver does. `fault` stands before the registry's own. Throws CriError with containerd's texts. */
  resolve(
    reference: string,
    auth: AuthConfig | undefined,
    fault?: RegistryFault,
    /** What there is where the registry itself has nothing: an image that only a pod's annotations know. */
    otherwise?: (reference: ImageReference) => SimImage | undefined,
  ): ResolvedImage;
  /** Programs of registered images. */
  readonly programs: ProgramTable;
  readonly images: readonly SimImage[];
}

export interface ResolvedImage {
  readonly image: SimImage;
  /** Normalised: `docker.io/library/nginx:1.27`. */
  readonly reference: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** The manifest's digest and the image's id (its configuration's digest). */
  readonly digest: string;
  readonly id: string;
  readonly slowMs: number;
}

export interface ImageReference {
  readonly host: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** The whole, normalised. */
  readonly full: string;
}

const pathPart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** Reads an image name as distribution/reference does; the text of the error is its. */
export function parseReference(name: string): ImageReference | { readonly error: string } {
  const at = name.indexOf('@');
  const digest = at < 0 ? undefined : name.slice(at + 1);
  const rest = at < 0 ? name : name.slice(0, at);
  const colon = rest.lastIndexOf(':');
  const tag = colon > rest.lastIndexOf('/') ? rest.slice(colon + 1) : undefined;
  const path = tag === undefined ? rest : rest.slice(0, colon);
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  const hasHost = /[.:]/.test(first) || first === 'localhost';
  const host = hasHost ? (first === 'index.docker.io' ? 'docker.io' : first) : 'docker.io';
  let repo = hasHost ? path.slice(slash + 1) : path;
  if (host === 'docker.io' && !repo.includes('/')) repo = `library/${repo}`;
  const invalid = { error: 'invalid reference format' };
  if (name === '' || path === '' || path.length > 255) return invalid;
  if (repo !== repo.toLowerCase()) return { error: 'invalid reference format: repository name must be lowercase' };
  if (!repo.split('/').every((part) => pathPart.test(part))) return invalid;
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) return invalid;
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest))
    return /^sha256:/.test(digest) ? { error: 'invalid checksum digest length' } : invalid;
  const repository = `${host}/${repo}`;
  const shown = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    host,
    repository,
    tag: shown,
    digest,
    full: `${repository}${shown === undefined ? '' : `:${shown}`}${digest === undefined ? '' : `@${digest}`}`,
  };
}

const sha = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A registry that holds `images`. Unknown repositories are not found; hosts under `.invalid` do not resolve. */
export function createSimRegistry(
  images: readonly SimImage[],
  options: { readonly builtin?: ProgramTable } = {},
): SimRegistry {
  const byRepository = new Map<string, SimImage[]>();
  const faults = new Map<string, RegistryFault>();
  const programs = new Map<string, Program>();
  const hosts = new Set([
    'docker.io',
    'registry.k8s.io',
    'quay.io',
    'ghcr.io',
    'gcr.io',
    'k8s.gcr.io',
    'public.ecr.aws',
    'mcr.microsoft.com',
  ]);
  const remember = (image: SimImage): void => {
    for (const [name, program] of Object.entries(image.programs ?? {})) programs.set(name, program);
    hosts.add(image.repository.slice(0, image.repository.indexOf('/')));
  };
  const registry: SimRegistry = {
    add(image) {
      const others = (byRepository.get(image.repository) ?? []).filter(
        (other) => !other.tags.some((tag) => image.tags.includes(tag)),
      );
      byRepository.set(image.repository, [...others, image]);
      remember(image);
    },
    remove(repository, tag) {
      if (tag === undefined) byRepository.delete(repository);
      else
        byRepository.set(
          repository,
          (byRepository.get(repository) ?? []).filter((image) => !image.tags.includes(tag)),
        );
    },
    fault(target, fault) {
      if (fault) faults.set(target, fault);
      else faults.delete(target);
    },
    resolve(name, auth, ownFault, otherwise) {
      const reference = parseReference(name);
      if ('error' in reference)
        throw new CriError('Unknown', `failed to parse image reference "${name}": ${reference.error}`);
      const { full, host, repository, tag, digest } = reference;
      const known = byRepository.get(repository);
      const offered = known ? undefined : otherwise?.(reference);
      const fault =
        ownFault ?? faults.get(repository) ?? faults.get(host) ?? (offered ? undefined : withoutHost(host, hosts));
      const said = refusals(reference, auth);
      if (fault && fault.kind !== 'slow') throw said[fault.kind]();
      const found = offered ? [offered] : known;
      const image = found?.find((candidate) =>
        digest === undefined ? candidate.tags.includes(tag ?? 'latest') : manifestDigest(candidate) === digest,
      );
      if (image?.credentials) {
        const [user, password] = auth?.auth
          ? Buffer.from(auth.auth, 'base64').toString().split(/:(.*)/s)
          : [auth?.username, auth?.password];
        if (user !== image.credentials.username || password !== image.credentials.password) throw said.unauthorized();
      }
      if (!found && host === 'docker.io') throw said.unknownRepository();
      if (!image) throw said.absent();
      return {
        image,
        reference: full,
        repository,
        tag,
        digest: manifestDigest(image),
        id: sha(`config ${image.repository} ${image.tags[0] ?? ''}`),
        slowMs: fault?.kind === 'slow' ? fault.ms : 0,
      };
    },
    programs: { find: (name) => programs.get(name) ?? options.builtin?.find(name) },
    get images() {
      return [...byRepository.values()].flat();
    },
  };
  for (const image of images) registry.add(image);
  return registry;
}

/** An address where no registry was set up refuses; a name that no registry has is not in the DNS. */
function withoutHost(host: string, known: ReadonlySet<string>): RegistryFault | undefined {
  if (known.has(host)) return undefined;
  return /^localhost(:\d+)?$|^[\d.]+(:\d+)?$/.test(host) ? { kind: 'unreachable' } : { kind: 'no-such-host' };
}

const manifestDigest = (image: SimImage): string => sha(`manifest ${image.repository} ${image.tags[0] ?? ''}`);

type Refusal = Exclude<RegistryFault['kind'], 'slow'> | 'unknownRepository' | 'absent';

/** containerd's words for what a registry refuses (github.com/containerd/containerd: pull.go, remotes/docker). */
function refusals(
  { full, host, repository, tag, digest }: ImageReference,
  auth: AuthConfig | undefined,
): Readonly<Record<Refusal, () => CriError>> {
  const endpoint = host === 'docker.io' ? 'registry-1.docker.io' : host;
  const path = repository.slice(host.length + 1);
  const version = digest ?? tag ?? 'latest';
  const scheme = /^localhost(:|$)|^127\./.test(host) ? 'http' : 'https';
  const manifest = `${scheme}://${endpoint}/v2/${path}/manifests/${version}`;
  const fail = (why: string, code: CriError['code'] = 'Unknown'): CriError =>
    new CriError(code, `failed to pull and unpack image "${full}": ${why}`);
  const unresolved = (why: string, code?: CriError['code']): CriError =>
    fail(`failed to resolve reference "${full}": ${why}`, code);
  const unknownRepository = (): CriError =>
    unresolved(
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    );
  const port = scheme === 'http' ? 80 : 443;
  return {
    unknownRepository,
    absent: () => unresolved(`${full}: not found`, 'NotFound'),
    unauthorized() {
      if (host !== 'docker.io')
        return unresolved(
          `pulling from host ${endpoint} failed with status code [manifests ${version}]: 401 Unauthorized`,
        );
      if (auth?.username === undefined && auth?.auth === undefined) return unknownRepository();
      const scope = encodeURIComponent(`repository:${path}:pull`);
      return unresolved(
        `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token?scope=${scope}&service=registry.docker.io: 401 Unauthorized`,
      );
    },
    'rate-limited': () =>
      fail(
        `failed to copy: httpReadSeeker: failed open: unexpected status code ${scheme}://${endpoint}/v2/${path}/manifests/${sha(`manifest ${repository} ${version}`)}: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit`,
      ),
    unreachable: () =>
      unresolved(
        `failed to do request: Head "${manifest}": dial tcp ${endpoint.includes(':') ? endpoint : `${endpoint}:${port}`}: connect: connection refused`,
      ),
    'no-such-host': () =>
      unresolved(
        `failed to do request: Head "${manifest}": dial tcp: lookup ${endpoint.replace(/:\d+$/, '')}: no such host`,
      ),
    'server-error': () => unresolved(`unexpected status from HEAD request to ${manifest}: 503 Service Unavailable`),
    'wrong-architecture': () => fail('no match for platform in manifest: not found', 'NotFound'),
  };
}
