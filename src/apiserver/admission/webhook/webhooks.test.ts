import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admissionRequest, serverDouble } from '../../../../testing/server-double.ts';
import {
  configmaps,
  mutatingwebhookconfigurations,
  services,
  validatingwebhookconfigurations,
} from '../../../api/generated/resources.ts';
import { StatusError } from '../../../api/status.ts';
import { systemClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import { createAuthority, createLeaf } from '../../../pki/certificate.ts';
import { mutatingWebhooks, validatingWebhooks } from './plugin.ts';

const random = seededRandom(3);
const authority = createAuthority('webhooks', systemClock.now(), random);
const leaf = createLeaf(
  {
    subject: { commonName: 'hook' },
    names: { dnsNames: ['hook.ns.svc', 'localhost'], ipAddresses: ['127.0.0.1'] },
    usages: ['server auth'],
  },
  authority,
  systemClock.now(),
  random,
);
const caBundle = Buffer.from(authority.certificate).toString('base64');
const double = serverDouble();
let server: Server;
let port: number;
const reviews: { name: string; operation: string }[] = [];

beforeAll(async () => {
  server = createServer({ key: leaf.key, cert: leaf.certificate }, (request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const review = JSON.parse(text);
      reviews.push(review.request);
      const path = (request.url ?? '').split('?')[0];
      const answer: Record<string, unknown> = { uid: review.request.uid, allowed: true };
      if (path === '/deny') Object.assign(answer, { allowed: false, status: { message: 'not today', code: 403 } });
      if (path === '/patch') {
        const patch = [{ op: 'add', path: '/data/added', value: 'yes' }];
        Object.assign(answer, {
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
          warnings: ['changed'],
        });
      }
      if (path === '/broken') {
        response.writeHead(500);
        response.end('boom');
        return;
      }
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  double.put(services, {
    metadata: { name: 'hook', namespace: 'ns' },
    spec: { clusterIP: '10.96.0.9', ports: [{ port: 443 }] },
  });
});
afterAll(() => void server.close());

const cluster = {
  connect: () =>
    new Promise<ReturnType<typeof connect>>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
    }),
};
const webhook = (path: string, more: object = {}) => ({
  name: 'check.example.com',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  clientConfig: { url: `https://127.0.0.1:${port}${path}`, caBundle },
  failurePolicy: 'Fail',
  ...more,
});
const validating = async (hook: object, request = {}): Promise<string> => {
  double.put(validatingwebhookconfigurations, { metadata: { name: 'v' }, webhooks: [hook] });
  try {
    await validatingWebhooks(double, cluster).validate!(
      admissionRequest(configmaps, { object: { metadata: { name: 'c', labels: { a: 'b' } } }, ...request }),
    );
    return '';
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`;
    throw error;
  }
};

describe('webhooks', () => {
  it('refuse in their own words', async () => {
    expect(await validating(webhook('/deny'))).toBe(
      '403 admission webhook "check.example.com" denied the request: not today',
    );
    expect(await validating(webhook('/ok'))).toBe('');
    expect(reviews.at(-1)).toMatchObject({ name: 'c', operation: 'CREATE' });
  });

  it('are reached through their Service', async () => {
    const clientConfig = { service: { name: 'hook', namespace: 'ns', path: '/deny' }, caBundle };
    expect(await validating(webhook('', { clientConfig }))).toContain('not today');
    const missing = { service: { name: 'none', namespace: 'ns' }, caBundle };
    expect(await validating(webhook('', { clientConfig: missing }))).toBe(
      '500 Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://none.ns.svc:443/?timeout=10s": service "none" not found',
    );
  });

  it('fail as their policy says', async () => {
    expect(await validating(webhook('/broken'))).toBe(
      '500 Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: an error on the server ("boom") has prevented the request from succeeding',
    );
    expect(await validating(webhook('/broken', { failurePolicy: 'Ignore' }))).toBe('');
    const untrusted = { clientConfig: { url: `https://127.0.0.1:${port}/ok` } };
    expect(await validating(webhook('', untrusted))).toContain(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    );
    expect(await validating(webhook('/ok', { sideEffects: 'Some' }), { dryRun: true })).toBe(
      '400 admission webhook "check.example.com" does not support dry run',
    );
  });

  it('are asked only about what they select', async () => {
    expect(await validating(webhook('/deny', { objectSelector: { matchLabels: { a: 'other' } } }))).toBe('');
    expect(
      await validating(
        webhook('/deny', { matchConditions: [{ name: 'm', expression: "object.metadata.name == 'd'" }] }),
      ),
    ).toBe('');
    expect(await validating(webhook('/deny'), { operation: 'UPDATE' })).toBe('');
  });

  it('change objects, with warnings', async () => {
    double.put(mutatingwebhookconfigurations, { metadata: { name: 'm' }, webhooks: [webhook('/patch')] });
    const object = { metadata: { name: 'c' }, data: { x: 'y' } };
    const warnings: string[] = [];
    await mutatingWebhooks(double, cluster).admit!(
      admissionRequest(configmaps, { object, warnings, kind: { resource: configmaps, schema: () => ({}) } as never }),
    );
    expect(object.data).toEqual({ x: 'y', added: 'yes' });
    expect(warnings).toEqual(['changed']);
  });
});
