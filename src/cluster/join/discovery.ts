import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { configmaps } from '../../api/generated/resources.ts';
import { httpsClient } from '../../client/https-client.ts';
import { detachedSignature } from '../../controllers/bootstrap-signer.ts';
import { UsageError } from '../options.ts';

export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
}

/** Reads `abcdef.0123456789abcdef`. Throws `UsageError` for anything else. */
export function parseToken(text: string): BootstrapToken {
  const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text);
  if (!match) throw new UsageError('the bootstrap token was not of the form "[a-z0-9]{6}.[a-z0-9]{16}"');
  return { id: match[1] ?? '', secret: match[2] ?? '' };
}

/** The pin of an authority: `sha256:` and the hash of its public key (SubjectPublicKeyInfo), as kubeadm writes it. */
export function authorityHash(authorityPem: string): string {
  const spki = new X509Certificate(authorityPem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

/** Server and authority that a cluster-info document names. */
export function readClusterInfo(kubeconfig: string): { readonly server: string; readonly authority: string } {
  const document = parse(kubeconfig) as {
    readonly clusters?: readonly { readonly cluster?: Readonly<Record<string, string>> }[];
  } | null;
  const cluster = document?.clusters?.[0]?.cluster;
  const server = cluster?.['server'];
  const data = cluster?.['certificate-authority-data'];
  if (!server || !data) throw new UsageError('the cluster-info ConfigMap names no server or no authority');
  return { server, authority: Buffer.from(data, 'base64').toString('utf8') };
}

/** Where a cluster is, found and verified. */
export interface Discovered {
  readonly server: string;
  readonly authority: string;
}

/**
 * Finds the cluster at `host:port`: reads cluster-info without trust, checks that it was signed with the token and that its authority has
 * one of the pinned hashes, then reads it again over a connection that this authority vouches for. Upstream: kubeadm's discovery/token.
 */
export async function discoverCluster(options: {
  readonly address: string;
  readonly token: BootstrapToken;
  /** `sha256:…`; empty only where the user gave up on it. */
  readonly hashes: readonly string[];
}): Promise<Discovered> {
  const { address, token, hashes } = options;
  const server = `https://${address}`;
  const fetchInfo = async (ca?: string): Promise<Readonly<Record<string, string>>> => {
    const client = httpsClient({ server, ...(ca === undefined ? { insecureSkipTlsVerify: true } : { ca }) });
    try {
      return (await client.get(configmaps, 'cluster-info', { namespace: 'kube-public' })).data ?? {};
    } catch (error) {
      throw new UsageError(`cannot read the cluster-info of ${server}: ${messageOf(error)}`);
    } finally {
      client.close();
    }
  };
  const first = await fetchInfo();
  const content = first['kubeconfig'] ?? '';
  const signature = first[`jws-kubeconfig-${token.id}`];
  if (signature === undefined) {
    throw new UsageError(
      `token id "${token.id}" is invalid for this cluster or it has expired; make one with coracle token create`,
    );
  }
  const wanted = Buffer.from(detachedSignature(content, token.id, token.secret));
  const given = Buffer.from(signature);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given))
    throw new UsageError(
      'the cluster-info of this server was not signed with this token: it may not be the cluster meant',
    );
  const { authority } = readClusterInfo(content);
  const hash = authorityHash(authority);
  if (hashes.length > 0 && !hashes.includes(hash))
    throw new UsageError(`cluster CA found in cluster-info does not match the pinned public key: it is ${hash}`);
  const second = await fetchInfo(authority);
  if (second['kubeconfig'] !== content)
    throw new UsageError('the second cluster-info differs from the first: somebody may be in between');
  return { server, authority };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
