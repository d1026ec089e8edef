import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import type { Clock } from '../base/clock.ts';
import type { ClientConfig } from './client-config.ts';
import { type ExecConfig, execCredentials } from './exec-credentials.ts';

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
}

export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>;
  readonly exec?: ExecConfig;
}

export interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** A kubeconfig, merged from its files; relative paths are made absolute. */
export interface Kubeconfig {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
  readonly contexts: ReadonlyMap<string, KubeconfigContext>;
  /** The files that were read. */
  readonly files: readonly string[];
}

/** The user's kubeconfig cannot be used; the message says what is wrong, in kubectl's words where it has some. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

const home = (): string => join(homedir(), '.kube', 'config');

/**
 * Reads kubeconfig files: `path`, else those that KUBECONFIG lists, else `~/.kube/config`. The first file that sets a value wins
 * (client-go's loading rules). Missing files are passed over unless `path` names one.
 */
export async function loadKubeconfig(
  options: { readonly path?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {},
): Promise<Kubeconfig> {
  const env = options.env ?? process.env;
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((it) => it !== '');
  const paths = options.path ? [options.path] : listed.length > 0 ? listed : [home()];
  const clusters = new Map<string, KubeconfigCluster>();
  const users = new Map<string, KubeconfigUser>();
  const contexts = new Map<string, KubeconfigContext>();
  const files: string[] = [];
  let currentContext = '';
  for (const path of new Set(paths)) {
    const text = await readIfThere(path, options.path !== undefined);
    if (text === undefined) continue;
    files.push(path);
    const file = parseFile(path, text);
    currentContext ||= file['current-context'] ?? '';
    const absolute = (it: string): string => (it === '' || isAbsolute(it) ? it : join(dirname(path), it));
    collect(clusters, file.clusters, 'cluster', (it) => rebase(it, ['certificate-authority'], absolute));
    collect(users, file.users, 'user', (it) => rebase(it, ['client-certificate', 'client-key', 'tokenFile'], absolute));
    collect(contexts, file.contexts, 'context', (it) => it);
  }
  return { currentContext, clusters, users, contexts, files };
}

interface FileShape {
  readonly 'current-context'?: string;
  readonly clusters?: readonly ({ readonly name: string } & Record<string, unknown>)[];
  readonly users?: readonly ({ readonly name: string } & Record<string, unknown>)[];
  readonly contexts?: readonly ({ readonly name: string } & Record<string, unknown>)[];
}

async function readIfThere(path: string, must: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!must && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KubeconfigError(`error loading config file "${path}": ${(error as Error).message}`);
  }
}

function parseFile(path: string, text: string): FileShape {
  try {
    const file: unknown = parse(text) ?? {};
    if (typeof file !== 'object' || Array.isArray(file)) throw new Error('it is not a mapping');
    return file as FileShape;
  } catch (error) {
    throw new KubeconfigError(`error loading config file "${path}": ${(error as Error).message}`);
  }
}

function collect<T>(into: Map<string, T>, entries: FileShape['users'], field: string, fix: (it: T) => T): void {
  for (const entry of entries ?? []) {
    if (!into.has(entry.name)) into.set(entry.name, fix((entry[field] ?? {}) as T));
  }
}

function rebase<T extends object>(it: T, keys: readonly string[], absolute: (path: string) => string): T {
  const out = { ...it } as Record<string, unknown>;
  for (const key of keys) if (typeof out[key] === 'string') out[key] = absolute(out[key]);
  return out as T;
}

/** What a context comes down to: the server, and how to prove who asks. Throws `KubeconfigError`. */
export async function clientConfig(
  kubeconfig: Kubeconfig,
  options: {
    readonly clock: Clock;
    readonly context?: string;
    readonly cluster?: string;
    readonly user?: string;
    readonly userAgent?: string;
    readonly as?: string;
    readonly asGroups?: readonly string[];
  },
): Promise<ClientConfig> {
  const name = options.context ?? kubeconfig.currentContext;
  const context = kubeconfig.contexts.get(name);
  if (!context && options.context !== undefined) throw new KubeconfigError(`context "${name}" does not exist`);
  if (!context && name !== '') {
    throw new KubeconfigError(
      `invalid configuration: [context was not found for specified context: ${name}, cluster has no server defined]`,
    );
  }
  const cluster = kubeconfig.clusters.get(options.cluster ?? context?.cluster ?? '');
  if (!cluster?.server) {
    throw new KubeconfigError(
      kubeconfig.clusters.size === 0
        ? 'invalid configuration: no configuration has been provided'
        : `cluster "${options.cluster ?? context?.cluster ?? ''}" has no server defined`,
    );
  }
  const userName = options.user ?? context?.user ?? '';
  const user = kubeconfig.users.get(userName);
  if (!user && options.user !== undefined) throw new KubeconfigError(`auth info "${userName}" does not exist`);
  const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const certificate = await pem(user?.['client-certificate-data'], user?.['client-certificate']);
  const key = await pem(user?.['client-key-data'], user?.['client-key']);
  const exec =
    user?.exec && !certificate && !user.token && !user.tokenFile
      ? await execCredentials(user.exec, options.clock, {
          server: cluster.server,
          ...(cluster['tls-server-name'] && { 'tls-server-name': cluster['tls-server-name'] }),
          ...(cluster['insecure-skip-tls-verify'] && { 'insecure-skip-tls-verify': true }),
          ...(ca && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
        })
      : undefined;
  const token = exec?.token ?? tokenSource(user, options.clock);
  const as = options.as ?? user?.as;
  const groups = options.asGroups ?? user?.['as-groups'];
  return {
    server: cluster.server,
    namespace: context?.namespace ?? 'default',
    ...(ca !== undefined && { ca }),
    ...(cluster['insecure-skip-tls-verify'] && { insecureSkipTlsVerify: true }),
    ...(cluster['tls-server-name'] && { tlsServerName: cluster['tls-server-name'] }),
    ...((exec?.clientCertificate ?? certificate) !== undefined && {
      clientCertificate: exec?.clientCertificate ?? certificate ?? '',
    }),
    ...((exec?.clientKey ?? key) !== undefined && { clientKey: exec?.clientKey ?? key ?? '' }),
    ...(token && { token }),
    ...(user?.username && { basic: { username: user.username, password: user.password ?? '' } }),
    ...(as && {
      impersonate: {
        user: as,
        ...(user?.['as-uid'] && { uid: user['as-uid'] }),
        ...(groups && { groups }),
        ...(user?.['as-user-extra'] && { extra: user['as-user-extra'] }),
      },
    }),
    ...(options.userAgent && { userAgent: options.userAgent }),
  };
}

async function pem(data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  if (!path) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new KubeconfigError(`unable to read ${path}: ${(error as Error).message}`);
  }
}

/** How long a token read from a file is used before it is read again, milliseconds (client-go's cachingTokenSource). */
const tokenFileMs = 60_000;

function tokenSource(user: KubeconfigUser | undefined, clock: Clock): ClientConfig['token'] {
  const { token, tokenFile } = user ?? {};
  if (token) return () => Promise.resolve(token);
  if (!tokenFile) return undefined;
  return fileToken(tokenFile, clock);
}

/** A token that is read from a file, and read again as it is rotated. */
export function fileToken(path: string, clock: Clock): NonNullable<ClientConfig['token']> {
  let held: { readonly token: string; readonly at: number } | undefined;
  return async (fresh) => {
    if (held && !fresh && clock.monotonic() - held.at < tokenFileMs) return held.token;
    held = { token: (await readFile(path, 'utf8')).trim(), at: clock.monotonic() };
    return held.token;
  };
}

const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The configuration inside a pod, or undefined when not in one (client-go's rest.InClusterConfig). */
export async function inClusterConfig(
  clock: Clock,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ClientConfig | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  const token = join(serviceAccountDir, 'token');
  const there = await stat(token).catch(() => undefined);
  if (!there) return undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: await readFile(join(serviceAccountDir, 'ca.crt'), 'utf8'),
    token: fileToken(token, clock),
    namespace: (await readFile(join(serviceAccountDir, 'namespace'), 'utf8')).trim(),
  };
}
