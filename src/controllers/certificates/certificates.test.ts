import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../../testing/controller-harness.ts';
import {
  certificatesigningrequests,
  endpoints,
  endpointslices,
  secrets,
  services,
} from '../../api/generated/resources.ts';
import type { V1CertificateSigningRequest } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { createAuthority, newPrivateKey } from '../../pki/certificate.ts';
import { createSigningRequest } from '../../pki/signing-request.ts';
import { endpointSliceMirroringController } from '../endpoint-slice-mirroring.ts';
import { tokenCleaner } from '../token-cleaner.ts';
import { certificateController } from './certificates.ts';

const authority = createAuthority('test', systemClock.now(), seededRandom(1));
let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const start = async (): Promise<Harness> => {
  harness = await startHarness([certificateController(authority), tokenCleaner, endpointSliceMirroringController]);
  return harness;
};
const ask = (commonName: string, organizations: string[], spec: Partial<V1CertificateSigningRequest['spec']>) => ({
  metadata: { name: 'me' },
  spec: {
    request: Buffer.from(createSigningRequest({ subject: { commonName, organizations } }, newPrivateKey())).toString(
      'base64',
    ),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth', 'digital signature'],
    ...spec,
  },
});
const approve = async (it: Harness): Promise<void> => {
  const request = await it.client.get(certificatesigningrequests, 'me');
  const conditions = [{ type: 'Approved', status: 'True', reason: 'ByHand', message: 'fine' }];
  await it.client.update(
    certificatesigningrequests,
    { ...request, status: { conditions } },
    { subresource: 'approval' },
  );
};
const status = (it: Harness, look: (status: NonNullable<V1CertificateSigningRequest['status']>) => boolean) =>
  it.until('the request is answered', async () => {
    const found = (await it.client.get(certificatesigningrequests, 'me')).status;
    return found && look(found) && found;
  });

describe('certificate requests', () => {
  it('are signed once approved, for as long as asked', async () => {
    const it = await start();
    await it.client.create(certificatesigningrequests, ask('jane', ['dev'], { expirationSeconds: 7200 }));
    await approve(it);
    const { certificate = '' } = await status(it, (s) => s.certificate !== undefined);
    const issued = new X509Certificate(Buffer.from(certificate, 'base64'));
    expect(issued.subject).toBe('O=dev\nCN=jane');
    expect(issued.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(Date.parse(issued.validTo) - Date.parse(issued.validFrom)).toBe(7_200_000);
  });

  it('fail where they are not what their signer signs', async () => {
    const it = await start();
    await it.client.create(
      certificatesigningrequests,
      ask('system:node:n1', ['wrong'], {
        signerName: 'kubernetes.io/kubelet-serving',
        usages: ['server auth', 'digital signature'],
      }),
    );
    await approve(it);
    const { conditions } = await status(it, (s) => s.conditions?.length === 2);
    expect(conditions?.[1]).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'subject organization is not system:nodes',
    });
  });
});

describe('smaller controllers', () => {
  it('deletes bootstrap tokens that have expired', async () => {
    const it = await start();
    const token = (name: string, expiration: string) => ({
      metadata: { name, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data: { expiration: Buffer.from(expiration).toString('base64') },
    });
    await it.client.create(secrets, token('bootstrap-token-aaaaaa', '2020-01-01T00:00:00Z'));
    await it.client.create(secrets, token('bootstrap-token-bbbbbb', '2999-01-01T00:00:00Z'));
    const left = await it.until('one is left', async () => {
      const { items } = await it.client.list(secrets, { namespace: 'kube-system' });
      return items.length === 1 && items;
    });
    expect(left[0]?.metadata.name).toBe('bootstrap-token-bbbbbb');
  });

  it('mirrors hand-made Endpoints', async () => {
    const it = await start();
    const namespace = 'default';
    await it.client.create(services, {
      metadata: { name: 'db', namespace },
      spec: { ports: [{ port: 5432 }], clusterIP: 'None' },
    });
    await it.client.create(endpoints, {
      metadata: { name: 'db', namespace },
      subsets: [
        { addresses: [{ ip: '192.0.2.1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: [{ port: 5432 }] },
      ],
    });
    const slice = await it.until('a slice', async () => (await it.client.list(endpointslices, { namespace })).items[0]);
    expect(slice.metadata.labels).toMatchObject({
      'kubernetes.io/service-name': 'db',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    });
    expect(slice.endpoints?.map((e) => [e.addresses[0], e.conditions?.ready])).toEqual([
      ['192.0.2.1', true],
      ['192.0.2.2', false],
    ]);
    await it.client.delete(endpoints, 'db', { namespace });
    await it.until('it is gone', async () => (await it.client.list(endpointslices, { namespace })).items.length === 0);
  });
});
