import type { V1CertificateSigningRequest } from '../../../api/generated/types.ts';
import { humanDuration } from '../../../kinds/human-duration.ts';
import { parseSigningRequest } from '../../../pki/signing-request.ts';
import type { Describer } from './describer.ts';
import { ownEvents } from './events.ts';
import { inline, moment, type Page } from './page.ts';

function statusText({ status }: V1CertificateSigningRequest): string {
  const has = (type: string): boolean => status?.conditions?.some((one) => one.type === type) ?? false;
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${verdict}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`;
}

function list(page: Page, title: string, values: readonly string[]): void {
  values.forEach((value, i) => {
    page.line(0, '', i === 0 ? `${title}:` : '', value);
  });
}

export const describeCertificateSigningRequest: Describer<V1CertificateSigningRequest> = async (
  page,
  object,
  around,
) => {
  const { metadata, spec } = object;
  const { subject, names } = parseSigningRequest(Buffer.from(spec.request, 'base64').toString('utf8'));
  page.line(0, 'Name:', metadata.name);
  page.line(0, 'Labels:', inline(metadata.labels));
  page.line(0, 'Annotations:', inline(metadata.annotations));
  page.line(0, 'CreationTimestamp:', moment(metadata.creationTimestamp));
  page.line(0, 'Requesting User:', spec.username ?? '');
  if (spec.signerName) page.line(0, 'Signer:', spec.signerName);
  if (spec.expirationSeconds !== undefined)
    page.line(0, 'Requested Duration:', humanDuration(spec.expirationSeconds * 1000));
  page.line(0, 'Status:', statusText(object));
  page.line(0, 'Subject:');
  page.line(0, '', 'Common Name:', subject.commonName);
  page.line(0, '', 'Serial Number:', '');
  list(page, 'Organization', subject.organizations);
  if (names.dnsNames.length + names.ipAddresses.length + names.uris.length + names.emailAddresses.length > 0) {
    page.line(0, 'Subject Alternative Names:');
    list(page, 'DNS Names', names.dnsNames);
    list(page, 'Email Addresses', names.emailAddresses);
    list(page, 'URIs', names.uris);
    list(page, 'IP Addresses', names.ipAddresses);
  }
  await ownEvents(page, object, around);
};
