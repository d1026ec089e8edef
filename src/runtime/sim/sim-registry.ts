import { createHash } from 'node:crypto';
import { type AuthConfig, CriError } from '../cri.ts';
import type { SimImage } from './images/sim-image.ts';
import type { Program, ProgramTable } from './kernel/workload.ts';

/** What is wrong with a registry, for tests and lessons. */
export type RegistryFault =
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'rate-limited' }
  | { readonly kind: 'down' }
  | { readonly kind: 'no-such-host' }
  | { readonly kind: 'server-error' }
  | { readonly kind: 'slow'; readonly ms: number };

/** The registries that simulated nodes pull from. */
export interface SimRegistry {
  /** Adds an image or replaces it. */
  add(image: SimImage): void;
  remove(repository: string, tag?: string): void;
  /** Breaks a host (`docker.io`) or a repository (`docker.io/library/nginx`); undefined mends it. */
  fault(target: string, fault: RegistryFault | undefined): void;
  /** Finds an image as the runtime's resolver does. Throws CriError with containerd's texts. */
  resolve(reference: string, auth: AuthConfig | undefined): ResolvedImage;
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
    resolve(name, auth) {
      const reference = parseReference(name);
      if ('error' in reference)
        throw new CriError(
          'InvalidArgument',
          `failed to pull image "${name}": failed to parse image reference "${name}": ${reference.error}`,
        );
      const { full, host, repository, tag, digest } = reference;
      const fault =
        faults.get(repository) ??
        faults.get(host) ??
        (reachable(host, hosts) ? undefined : { kind: 'no-such-host' as const });
      const fail = (code: CriError['code'], why: string): CriError =>
        new CriError(code, `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${why}`);
      const endpoint = host === 'docker.io' ? 'registry-1.docker.io' : host;
      const manifest = `https://${endpoint}/v2/${repository.slice(host.length + 1)}/manifests/${digest ?? tag ?? 'latest'}`;
      const status = (text: string): CriError =>
        fail('Unknown', `unexpected status from HEAD request to ${manifest}: ${text}`);
      const denied = (): CriError =>
        auth?.username === undefined
          ? fail(
              'Unknown',
              `pulling from host ${endpoint} failed with status code [manifests ${digest ?? tag}]: 401 Unauthorized`,
            )
          : fail(
              'Unknown',
              `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://${host === 'docker.io' ? 'auth.docker.io' : endpoint}/token: 401 Unauthorized`,
            );
      switch (fault?.kind) {
        case 'unauthorized':
          throw denied();
        case 'rate-limited':
          throw status(
            '429 Too Many Requests\ntoomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
          );
        case 'down':
          throw fail(
            'Unknown',
            `failed to do request: Head "${manifest}": dial tcp ${endpoint.includes(':') ? endpoint : `${endpoint}:443`}: connect: connection refused`,
          );
        case 'no-such-host':
          throw fail(
            'Unknown',
            `failed to do request: Head "${manifest}": dial tcp: lookup ${endpoint.replace(/:\d+$/, '')}: no such host`,
          );
        case 'server-error':
          throw status('503 Service Unavailable');
        default:
      }
      const found = byRepository.get(repository);
      const digestOf = (image: SimImage): string => sha(`manifest ${image.repository} ${image.tags[0] ?? ''}`);
      const image = found?.find((candidate) =>
        digest === undefined ? candidate.tags.includes(tag ?? 'latest') : digestOf(candidate) === digest,
      );
      if (repository.split('/').includes('private') && !image?.credentials && auth?.username === undefined)
        throw denied();
      if (image?.credentials) {
        const [user, password] = auth?.auth
          ? Buffer.from(auth.auth, 'base64').toString().split(':')
          : [auth?.username, auth?.password];
        if (user !== image.credentials.username || password !== image.credentials.password) throw denied();
      }
      if (!found && host === 'docker.io')
        throw fail(
          'Unknown',
          'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
        );
      if (!image) throw fail('NotFound', `${full}: not found`);
      return {
        image,
        reference: full,
        repository,
        tag,
        digest: digestOf(image),
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

const reachable = (host: string, known: ReadonlySet<string>): boolean =>
  known.has(host) ||
  /^localhost(:\d+)?$|^[\d.]+(:\d+)?$/.test(host) ||
  (/\.(io|com|org|net|dev|aws|cloud)(:\d+)?$/.test(host) && !/invalid|nonexistent|does-not-exist|no-such/.test(host));
