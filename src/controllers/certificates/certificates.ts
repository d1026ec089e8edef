import { certificatesigningrequests, nodes, subjectaccessreviews } from '../../api/generated/resources.ts';
import type { V1CertificateSigningRequest, V1CertificateSigningRequestCondition } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { type ExtendedUsage, issueCertificate, type KeyedCertificate, type KeyUsage } from '../../pki/certificate.ts';
import { parseSigningRequest, type SigningRequest } from '../../pki/signing-request.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import { kubeletClient, kubeletServing, refusal, signers } from './signers.ts';

type Request = Live<V1CertificateSigningRequest>;

const csrs = certificatesigningrequests;
const hour = 3_600_000;
/** How long certificates are good at most (--cluster-signing-duration), and how far back they begin. */
const year = 365 * 24 * hour;
const backdate = 5 * 60_000;
const shortest = 10 * 60_000;

const has = (request: Request, type: string): boolean =>
  (request.status?.conditions ?? []).some((it) => it.type === type && it.status !== 'False');
const parse = (request: Request): SigningRequest =>
  parseSigningRequest(Buffer.from(request.spec.request, 'base64').toString('utf8'));

/** Approves what kubelets ask for, signs what is approved, and clears away old requests. Upstream: pkg/controller/certificates. */
export function certificateController(authority: KeyedCertificate): Controller {
  return {
    name: 'certificate-controller',
    watches: [watched({ resource: csrs, keys: (it, { gone }) => (gone ? [] : [it.metadata.name]) })],
    access: [
      rule('certificates.k8s.io', 'certificatesigningrequests', `${read} delete`),
      rule('certificates.k8s.io', 'certificatesigningrequests/approval certificatesigningrequests/status', 'update'),
      rule('certificates.k8s.io', 'signers', 'approve sign'),
      rule('', 'nodes', 'get'),
      rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
      ...mayRecord,
    ],
    async reconcile(key, context) {
      const request = context.informers.informer(csrs).get(key);
      if (!request) return undefined;
      const old = expiry(request, context.clock.now());
      if (old !== undefined && old <= 0) {
        await context.client.delete(csrs, key, { preconditions: { uid: request.metadata.uid } }).catch((error) => {
          if (!hasReason(error, 'NotFound')) throw error;
        });
        return undefined;
      }
      if (!request.status?.certificate && !has(request, 'Failed') && !has(request, 'Denied')) {
        if (has(request, 'Approved')) await signApproved(context, request, authority);
        else await approve(context, request);
      }
      return old === undefined ? undefined : ({ again: old } satisfies Outcome);
    },
  };
}

/** Milliseconds until a request is cleared away: issued, denied and failed ones after an hour, others after a day. Pure. */
export function expiry(request: Request, now: number): number | undefined {
  const latest = (types: readonly string[]): number | undefined => {
    const times = (request.status?.conditions ?? [])
      .filter((it) => types.includes(it.type))
      .map((it) => Date.parse(it.lastUpdateTime ?? it.lastTransitionTime ?? ''));
    return times.length > 0 ? Math.max(...times) : undefined;
  };
  const done = latest(request.status?.certificate ? ['Approved'] : ['Denied', 'Failed']);
  const approved = latest(['Approved']);
  if (done !== undefined) return done + hour - now;
  if (approved !== undefined) return undefined;
  return Date.parse(request.metadata.creationTimestamp) + 24 * hour - now;
}

const condition = (
  type: string,
  reason: string,
  message: string,
  now: number,
): V1CertificateSigningRequestCondition => ({
  type,
  status: 'True',
  reason,
  message,
  lastUpdateTime: rfc3339(now),
  lastTransitionTime: rfc3339(now),
});

/**
 * Approves a kubelet's serving certificate when the node itself asks, for no other names than the addresses that it has. Upstream leaves
 * these to the cluster's operator; here the API server trusts no kubelet without one. The message says why it waits, where it does.
 */
async function approveServing(context: ControllerContext, request: Request): Promise<void> {
  const parsed = parse(request);
  const { commonName } = parsed.subject;
  if (request.spec.username !== commonName || !request.spec.groups?.includes('system:nodes')) return;
  if (refusal(parsed, kubeletServing, request.spec.usages ?? []) !== undefined) return;
  const node = await context.client.get(nodes, commonName.slice('system:node:'.length));
  const own = new Set((node.status?.addresses ?? []).map((it) => it.address));
  const names = [...parsed.names.dnsNames, ...parsed.names.ipAddresses];
  if (!names.every((name) => own.has(name))) return;
  const message = 'Auto approving kubelet serving certificate: its names are the addresses of the node that asks.';
  const approved = condition('Approved', 'AutoApproved', message, context.clock.now());
  const conditions = [...(request.status?.conditions ?? []), approved];
  await context.client.update(
    csrs,
    { ...request, status: { ...request.status, conditions } },
    { subresource: 'approval' },
  );
}

async function approve(context: ControllerContext, request: Request): Promise<void> {
  if (request.spec.signerName === kubeletServing) return approveServing(context, request);
  if (request.spec.signerName !== kubeletClient) return;
  const parsed = parse(request);
  if (refusal(parsed, kubeletClient, request.spec.usages ?? []) !== undefined) return;
  const self = request.spec.username === parsed.subject.commonName;
  const ways = [
    ...(self
      ? [['selfnodeclient', 'Auto approving self kubelet client certificate after SubjectAccessReview.'] as const]
      : []),
    ['nodeclient', 'Auto approving kubelet client certificate after SubjectAccessReview.'] as const,
  ];
  for (const [subresource, message] of ways) {
    if (!(await mayAsk(context, request, subresource))) continue;
    const approved = condition('Approved', 'AutoApproved', message, context.clock.now());
    const conditions = [...(request.status?.conditions ?? []), approved];
    await context.client.update(
      csrs,
      { ...request, status: { ...request.status, conditions } },
      { subresource: 'approval' },
    );
    return;
  }
}

async function mayAsk(context: ControllerContext, { spec }: Request, subresource: string): Promise<boolean> {
  const review = await context.client.create(subjectaccessreviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      ...(spec.username && { user: spec.username }),
      ...(spec.uid && { uid: spec.uid }),
      ...(spec.groups && { groups: spec.groups }),
      ...(spec.extra && { extra: spec.extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
        version: '*',
      },
    },
  });
  return review.status?.allowed === true;
}

const keyUsages = new Set<string>([
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
]);
const extendedUsages = new Set<string>([
  'client auth',
  'server auth',
  'code signing',
  'email protection',
  'ocsp signing',
  'any',
]);

async function signApproved(context: ControllerContext, request: Request, authority: KeyedCertificate): Promise<void> {
  const { signerName, usages = [] } = request.spec;
  if (!signers.includes(signerName)) return;
  const now = context.clock.now();
  const parsed = parse(request);
  const write = (status: V1CertificateSigningRequest['status']): Promise<unknown> =>
    context.client.update(csrs, { ...request, ...(status && { status }) }, { subresource: 'status' });
  const why = parsed.signatureValid
    ? refusal(parsed, signerName, usages)
    : 'the certificate request is not signed with the key that it names';
  if (why !== undefined) {
    const failed = condition('Failed', 'SignerValidationFailure', why, now);
    await write({ ...request.status, conditions: [...(request.status?.conditions ?? []), failed] });
    return;
  }
  const asked = request.spec.expirationSeconds;
  const life = asked === undefined ? year : Math.min(year, Math.max(shortest, asked * 1000));
  const certificate = issueCertificate(
    {
      subject: parsed.subject,
      names: parsed.names,
      notBefore: now - backdate,
      notAfter: now + life - backdate,
      keyUsages: usages.filter((it) => keyUsages.has(it)) as KeyUsage[],
      extendedUsages: usages.filter((it) => extendedUsages.has(it)) as ExtendedUsage[],
    },
    parsed.publicKey,
    { issuer: authority },
    context.random,
  );
  await write({ ...request.status, certificate: Buffer.from(certificate).toString('base64') });
}
