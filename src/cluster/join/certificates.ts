import { createHash, X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificatesigningrequests } from '../../api/generated/resources.ts';
import { hasReason } from '../../api/status.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import { type KeyedCertificate, newPrivateKey, publicKeyInfo } from '../../pki/certificate.ts';
import type { AlternativeNames } from '../../pki/names.ts';
import { createSigningRequest } from '../../pki/signing-request.ts';

/** Which certificate of a node: the one it shows to the API server, or the one it serves with. */
export type Purpose = 'client' | 'server';
const signerNames: Readonly<Record<Purpose, string>> = {
  client: 'kubernetes.io/kube-apiserver-client-kubelet',
  server: 'kubernetes.io/kubelet-serving',
};
/** How long to wait for a request to be approved and signed, milliseconds (kubelet: 15 minutes for its first). */
const patience = 15 * 60_000;

/** Asks the cluster to sign a certificate for a node, and waits for it. */
export async function requestCertificate(options: {
  readonly client: Client;
  readonly nodeName: string;
  readonly purpose: Purpose;
  readonly names?: AlternativeNames;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<KeyedCertificate> {
  const { client, nodeName, purpose, clock, signal } = options;
  const key = newPrivateKey();
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
  const request = createSigningRequest({ subject, ...(options.names && { names: options.names }) }, key);
  const digest = createHash('sha256').update(publicKeyInfo(key)).digest('hex').slice(0, 20);
  const { metadata } = await client.create(certificatesigningrequests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: `${purpose === 'client' ? 'node-csr' : 'csr'}-${digest}` },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: signerNames[purpose],
      usages: ['digital signature', purpose === 'client' ? 'client auth' : 'server auth'],
    },
  });
  const end = clock.monotonic() + patience;
  for (let wait = 100; clock.monotonic() < end; wait = Math.min(5000, wait * 1.5)) {
    const { status } = await client.get(certificatesigningrequests, metadata.name, { signal });
    const refused = status?.conditions?.find((it) => it.type === 'Denied' || it.type === 'Failed');
    if (refused) {
      throw new Error(`certificate signing request ${metadata.name} is ${refused.type}: ${refused.message ?? ''}`);
    }
    if (status?.certificate) {
      return { key, certificate: Buffer.from(status.certificate, 'base64').toString('utf8') };
    }
    await sleep(clock, wait, signal);
  }
  throw new Error(`certificate signing request ${metadata.name} was not approved within 15 minutes`);
}

/** When a certificate is to be renewed: after 70 to 90 percent of its life (client-go's certificate manager), epoch milliseconds. */
export function renewalTime(certificatePem: string, random: Random): number {
  const certificate = new X509Certificate(certificatePem);
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  return from + (to - from) * (0.7 + random.next() * 0.2);
}

/** Reads a stored pair; undefined where there is none, or one that has ended or is of another node. */
export async function storedCertificate(
  dir: string,
  name: string,
  nodeName: string,
  now: number,
): Promise<KeyedCertificate | undefined> {
  const read = (file: string): Promise<string | undefined> =>
    readFile(join(dir, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    });
  const [certificate, key] = [await read(`${name}.crt`), await read(`${name}.key`)];
  if (!certificate || !key) return undefined;
  const parsed = new X509Certificate(certificate);
  const ours = parsed.subject.split('\n').includes(`CN=system:node:${nodeName}`);
  return ours && Date.parse(parsed.validTo) > now ? { certificate, key } : undefined;
}

/** Writes a pair; a crash leaves the old files or the new ones. */
export async function storeCertificate(dir: string, name: string, pair: KeyedCertificate): Promise<void> {
  for (const [file, text] of [
    [`${name}.key`, pair.key],
    [`${name}.crt`, pair.certificate],
  ] as const) {
    await writeFile(join(dir, `${file}.new`), text, { mode: 0o600 });
    await rename(join(dir, `${file}.new`), join(dir, file));
  }
}

/** Renews a certificate in time, again and again until the lifetime ends; a failure is tried again after a minute. */
export function keepCertificate(options: {
  readonly current: KeyedCertificate;
  readonly renew: () => Promise<KeyedCertificate>;
  readonly renewed: (pair: KeyedCertificate) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}): void {
  const { renew, renewed, clock, random, log, lifetime } = options;
  const run = async (): Promise<void> => {
    let due = renewalTime(options.current.certificate, random);
    while (!lifetime.signal.aborted) {
      // Timers hold 24 days at most; a day at a time also follows changes of the clock.
      await sleep(clock, Math.min(86_400_000, Math.max(0, due - clock.now())), lifetime.signal);
      if (clock.now() < due) continue;
      try {
        const pair = await renew();
        await renewed(pair);
        due = renewalTime(pair.certificate, random);
      } catch (error) {
        if (lifetime.signal.aborted) return;
        log.warn('a certificate of this node could not be renewed', { error, refused: hasReason(error, 'Forbidden') });
        due = clock.now() + 60_000;
      }
    }
  };
  run().catch((error: unknown) => {
    if (!lifetime.signal.aborted) log.error('certificates are not renewed any more', { error });
  });
}
