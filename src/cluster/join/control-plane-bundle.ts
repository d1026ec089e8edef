import { createCipheriv, createDecipheriv, randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as resources from '../../api/generated/resources.ts';
import { rfc3339, systemClock } from '../../base/clock.ts';
import { type HttpsClient, httpsClient } from '../../client/https-client.ts';
import { type ClusterOptions, type EtcdAccess, UsageError } from '../options.ts';

/**
 * What a further control plane needs: the authority and the key of service accounts, which all must share, where etcd is, and the ranges of
 * the cluster. It travels in a bootstrap token's Secret, encrypted with a key that only the printed token has (kubeadm's upload-certs does
 * the same); the Secret, and with it the right to read it, vanishes when the token expires.
 */
export interface ControlPlaneBundle {
  /** Names below the data directory, and contents. */
  readonly files: Readonly<Record<string, string>>;
  readonly etcd: EtcdAccess;
  readonly settings: Pick<ClusterOptions, 'serviceCidr' | 'clusterCidr' | 'clusterDomain'>;
}

export interface ControlPlaneToken {
  /** `abcdef.0123456789abcdef`, a bootstrap token. */
  readonly bootstrap: string;
  readonly id: string;
  readonly key: Buffer;
}

const field = 'control-plane';
const settingsFile = 'control-plane.json';
const shared = ['pki/ca.crt', 'pki/ca.key', 'pki/sa.key', 'pki/sa.pub'];
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const draw = (length: number): string =>
  Array.from({ length }, () => letters[randomInt(letters.length)] ?? 'a').join('');
const namespace = 'kube-system';

/** Reads `abcdef.0123456789abcdef.KEY`. Throws `UsageError` for anything else. */
export function parseControlPlaneToken(text: string): ControlPlaneToken {
  const match = /^(([a-z0-9]{6})\.[a-z0-9]{16})\.([A-Za-z0-9_-]{43})$/.exec(text);
  if (!match) throw new UsageError('this is no token of a control plane; make one with coracle token control-plane');
  return { bootstrap: match[1] ?? '', id: match[2] ?? '', key: Buffer.from(match[3] ?? '', 'base64url') };
}

export function seal(bundle: ControlPlaneBundle, key: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(bundle)), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** Throws `UsageError` where the key is another or the text was changed. */
export function unseal(text: string, key: Buffer): ControlPlaneBundle {
  const bytes = Buffer.from(text, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    return JSON.parse(plain.toString()) as ControlPlaneBundle;
  } catch {
    throw new UsageError('what the server gave was not encrypted with this token: it may not be the cluster meant');
  }
}

/** Writes down what `coracle token control-plane` hands on; only a cluster over etcd can have several control planes. */
export function rememberSettings({ dataDir, etcd, serviceCidr, clusterCidr, clusterDomain }: ClusterOptions): void {
  if (!etcd) return;
  const text = JSON.stringify({ etcd, settings: { serviceCidr, clusterCidr, clusterDomain } }, null, 2);
  writeFileSync(join(dataDir, settingsFile), `${text}\n`, { mode: 0o600 });
}

function readBundle(dataDir: string): ControlPlaneBundle {
  const file = join(dataDir, settingsFile);
  if (!existsSync(file))
    throw new UsageError(
      `the cluster of ${dataDir} keeps its state in itself; several control planes need --store etcd`,
    );
  const { etcd, settings } = JSON.parse(readFileSync(file, 'utf8')) as Omit<ControlPlaneBundle, 'files'>;
  const files: Record<string, string> = {};
  for (const name of shared) files[name] = readFileSync(join(dataDir, name), 'utf8');
  const carried = (from: string | undefined, name: string): string | undefined => {
    if (from === undefined) return undefined;
    files[name] = readFileSync(from, 'utf8');
    return name;
  };
  const caFile = carried(etcd.caFile, 'etcd/ca.crt');
  const certFile = carried(etcd.certFile, 'etcd/client.crt');
  const keyFile = carried(etcd.keyFile, 'etcd/client.key');
  const passwordFile = carried(etcd.passwordFile, 'etcd/password');
  return {
    files,
    settings,
    etcd: {
      endpoints: etcd.endpoints,
      ...(etcd.prefix !== undefined && { prefix: etcd.prefix }),
      ...(etcd.user !== undefined && { user: etcd.user }),
      ...(caFile && { caFile }),
      ...(certFile && { certFile }),
      ...(keyFile && { keyFile }),
      ...(passwordFile && { passwordFile }),
    },
  };
}

/** Leaves the bundle of `dataDir` in the cluster for `ttlSeconds` and returns the token that opens it. */
export async function offerControlPlane(dataDir: string, client: HttpsClient, ttlSeconds: number): Promise<string> {
  const bundle = readBundle(dataDir);
  const key = randomBytes(32);
  const id = draw(6);
  const secret = draw(16);
  const name = `bootstrap-token-${id}`;
  const group = `system:bootstrappers:coracle:control-plane:${id}`;
  const stored = await client.create(resources.secrets, {
    metadata: { name, namespace },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': group,
      expiration: rfc3339(systemClock.now() + ttlSeconds * 1000),
      description: 'joins a control plane',
      [field]: seal(bundle, key),
    },
  });
  // The collector takes role and binding away with the Secret.
  const metadata = {
    name: `coracle:control-plane-${id}`,
    namespace,
    ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name, uid: stored.metadata.uid ?? '' }],
  };
  await client.create(resources.roles, {
    metadata,
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get'] }],
  });
  await client.create(resources.rolebindings, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
  });
  return `${id}.${secret}.${key.toString('base64url')}`;
}

/**
 * Takes the bundle from the server at `url` and puts its files into `dataDir`, or uses what an earlier call put there. The server is not
 * verified: only one that has the bundle can give what the token's key opens.
 */
export async function takeControlPlane(
  dataDir: string,
  urls: readonly string[],
  token: string | undefined,
): Promise<Pick<ControlPlaneBundle, 'etcd' | 'settings'>> {
  const file = join(dataDir, settingsFile);
  if (!existsSync(file)) {
    if (token === undefined) throw new UsageError('--join needs a --token; make one with coracle token control-plane');
    const bundle = await fetchBundle(urls, parseControlPlaneToken(token));
    for (const [name, text] of Object.entries(bundle.files)) {
      const path = join(dataDir, name);
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
      writeFileSync(path, text, { mode: name.endsWith('.crt') || name.endsWith('.pub') ? 0o644 : 0o600 });
    }
    const here = (name: string | undefined) => (name === undefined ? undefined : join(dataDir, name));
    const { caFile, certFile, keyFile, passwordFile, ...rest } = bundle.etcd;
    const files = Object.entries({ caFile, certFile, keyFile, passwordFile }).flatMap(([name, path]) =>
      path === undefined ? [] : [[name, here(path)]],
    );
    const etcd = { ...rest, ...Object.fromEntries(files) };
    writeFileSync(file, `${JSON.stringify({ etcd, settings: bundle.settings }, null, 2)}\n`, { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Pick<ControlPlaneBundle, 'etcd' | 'settings'>;
}

async function fetchBundle(urls: readonly string[], token: ControlPlaneToken): Promise<ControlPlaneBundle> {
  let failure: unknown;
  for (const server of urls) {
    const client = httpsClient({ server, insecureSkipTlsVerify: true, token: async () => token.bootstrap });
    try {
      const secret = await client.get(resources.secrets, `bootstrap-token-${token.id}`, { namespace });
      return unseal(Buffer.from(secret.data?.[field] ?? '', 'base64').toString(), token.key);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      failure = error;
    } finally {
      client.close();
    }
  }
  throw new UsageError(
    `cannot join: ${failure instanceof Error ? failure.message : String(failure)} (the token may have expired)`,
  );
}
