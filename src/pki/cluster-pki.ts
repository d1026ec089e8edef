import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { type Random, systemRandom } from '../base/random.ts';
import {
  createAuthority,
  createLeaf,
  type ExtendedUsage,
  type KeyedCertificate,
  newPrivateKey,
} from './certificate.ts';
import { type AlternativeNames, ipBytes, type Subject } from './names.ts';

/** Everything a cluster's components need to trust each other. All PEM. */
export interface ClusterPki {
  readonly authority: KeyedCertificate;
  /** The API server's serving certificate. */
  readonly serving: KeyedCertificate;
  /** What the API server shows to kubelets: `kube-apiserver-kubelet-client`, group system:masters. */
  readonly kubeletClient: KeyedCertificate;
  /** `kubernetes-admin` of group system:masters. */
  readonly admin: KeyedCertificate;
  readonly scheduler: KeyedCertificate;
  readonly controllerManager: KeyedCertificate;
  readonly kubeProxy: KeyedCertificate;
  /** Signs service-account tokens (ECDSA P-256, PKCS #8). */
  readonly serviceAccountKey: string;
  /** Client certificate of a node's kubelet, `system:node:NAME` of system:nodes; made on first use. */
  kubelet(nodeName: string): Promise<KeyedCertificate>;
  /** Serving certificate of a node's kubelet, made on first use and again when its names change. */
  kubeletServing(nodeName: string, addresses: readonly string[]): Promise<KeyedCertificate>;
}

export interface ClusterPkiOptions {
  /** Where the files lie; made with mode 0700 where missing. Key files have mode 0600. */
  readonly dir: string;
  readonly clock: Clock;
  readonly random?: Random;
  /** DNS names of the API server. */
  readonly hostnames: readonly string[];
  readonly ips: readonly string[];
}

/** Renewed when less than this is left, in milliseconds (30 days). */
const renewBefore = 30 * 24 * 3600 * 1000;

interface LeafPlan {
  readonly subject: Subject;
  readonly names?: AlternativeNames;
  readonly usages: readonly ExtendedUsage[];
}

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** A crash leaves the old file or the new one, never half of it. */
const writeWhole = async (path: string, text: string, mode: number): Promise<void> => {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
};

/** The alternative names of a certificate, in a form that compares: IP addresses as hex. */
function namesOf(certificate: X509Certificate): ReadonlySet<string> {
  const found = (certificate.subjectAltName ?? '').split(', ').filter((entry) => entry !== '');
  return new Set(
    found.map((entry) => {
      const colon = entry.indexOf(':');
      const kind = entry.slice(0, colon);
      const value = entry.slice(colon + 1);
      return kind === 'IP Address' ? `ip:${ipBytes(value).toString('hex')}` : `${kind.toLowerCase()}:${value}`;
    }),
  );
}

const wantedNames = (names: AlternativeNames | undefined): ReadonlySet<string> =>
  new Set([
    ...(names?.dnsNames ?? []).map((name) => `dns:${name}`),
    ...(names?.ipAddresses ?? []).map((ip) => `ip:${ipBytes(ip).toString('hex')}`),
  ]);

/** True while a stored pair still serves: parseable, of one key, signed by the authority, not near its end, with the names wanted. */
function stillGood(
  pair: KeyedCertificate,
  authority: X509Certificate,
  plan: LeafPlan | undefined,
  now: number,
): boolean {
  try {
    const certificate = new X509Certificate(pair.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return false;
    if (!certificate.verify(authority.publicKey)) return false;
    if (Date.parse(certificate.validTo) - now < renewBefore || Date.parse(certificate.validFrom) > now) return false;
    const wanted = wantedNames(plan?.names);
    const present = namesOf(certificate);
    return plan === undefined || (wanted.size === present.size && [...wanted].every((name) => present.has(name)));
  } catch {
    // What cannot be read as a pair of certificate and key is replaced by one that can.
    return false;
  }
}

async function keyedFile(
  dir: string,
  name: string,
  good: (pair: KeyedCertificate) => boolean,
  make: () => KeyedCertificate,
): Promise<KeyedCertificate> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(dir, `${name}.crt`)),
    readIfThere(join(dir, `${name}.key`)),
  ]);
  if (certificate !== undefined && key !== undefined && good({ certificate, key })) return { certificate, key };
  const fresh = make();
  await Promise.all([
    writeWhole(join(dir, `${name}.key`), fresh.key, 0o600),
    writeWhole(join(dir, `${name}.crt`), fresh.certificate, 0o644),
  ]);
  return fresh;
}

async function serviceAccountKey(dir: string): Promise<string> {
  const stored = await readIfThere(join(dir, 'sa.key'));
  if (stored !== undefined) return stored;
  const key = newPrivateKey();
  const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  await Promise.all([writeWhole(join(dir, 'sa.key'), key, 0o600), writeWhole(join(dir, 'sa.pub'), publicPem, 0o644)]);
  return key;
}

/** Splits addresses into what goes into a certificate as DNS names and as IP addresses. */
export function alternativeNames(
  addresses: readonly string[],
): Required<Pick<AlternativeNames, 'dnsNames' | 'ipAddresses'>> {
  const unique = [...new Set(addresses)];
  return {
    dnsNames: unique.filter((address) => isIP(address) === 0),
    ipAddresses: unique.filter((address) => isIP(address) !== 0),
  };
}

/**
 * Reads a cluster's certificates from `dir` and makes what is missing, near its end, of another authority, or bears other names than
 * wanted. File names follow kubeadm (`ca.crt`, `apiserver.crt`, `sa.key`).
 */
export async function ensureClusterPki(options: ClusterPkiOptions): Promise<ClusterPki> {
  const { dir, clock } = options;
  const random = options.random ?? systemRandom();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const authority = await keyedFile(
    dir,
    'ca',
    (pair) => {
      try {
        return stillGood(pair, new X509Certificate(pair.certificate), undefined, clock.now());
      } catch {
        // An unreadable authority is replaced, and with it everything it signed.
        return false;
      }
    },
    () => createAuthority('kubernetes', clock.now(), random),
  );
  const authorityCertificate = new X509Certificate(authority.certificate);
  const leaf = (name: string, plan: LeafPlan): Promise<KeyedCertificate> =>
    keyedFile(
      dir,
      name,
      (pair) => stillGood(pair, authorityCertificate, plan, clock.now()),
      () => createLeaf(plan, authority, clock.now(), random),
    );
  const client = (name: string, commonName: string, ...organizations: readonly string[]): Promise<KeyedCertificate> =>
    leaf(name, { subject: { commonName, organizations }, usages: ['client auth'] });
  const [serving, kubeletClient, admin, scheduler, controllerManager, kubeProxy, signingKey] = await Promise.all([
    leaf('apiserver', {
      subject: { commonName: 'kube-apiserver' },
      names: alternativeNames([...options.hostnames, ...options.ips]),
      usages: ['server auth'],
    }),
    client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
    client('admin', 'kubernetes-admin', 'system:masters'),
    client('scheduler', 'system:kube-scheduler'),
    client('controller-manager', 'system:kube-controller-manager'),
    client('kube-proxy', 'system:kube-proxy'),
    serviceAccountKey(dir),
  ]);
  return {
    authority,
    serving,
    kubeletClient,
    admin,
    scheduler,
    controllerManager,
    kubeProxy,
    serviceAccountKey: signingKey,
    kubelet: (nodeName) => client(`kubelet-client-${nodeName}`, `system:node:${nodeName}`, 'system:nodes'),
    kubeletServing: (nodeName, addresses) =>
      leaf(`kubelet-${nodeName}`, {
        subject: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
        names: alternativeNames(addresses),
        usages: ['server auth'],
      }),
  };
}
