import { describe, expect, it } from 'vitest';
import { serverDouble } from '../../../testing/server-double.ts';
import { pods, secrets, serviceaccounts } from '../../api/generated/resources.ts';
import { hasReason } from '../../api/status.ts';
import { newPrivateKey } from '../../pki/certificate.ts';
import { createAuthenticator } from './authenticator.ts';
import { serviceAccountTokens } from './service-account-tokens.ts';

const signingKey = newPrivateKey();
function setup() {
  const double = serverDouble();
  const { clock, random, reader } = double;
  const tokens = serviceAccountTokens({ signingKey, clock, random, reader });
  const authenticator = createAuthenticator({
    clock,
    reader,
    tokens,
    staticTokens: [{ token: 'let-me-in', user: { name: 'carol', groups: ['ops'] } }],
  });
  const account = double.put(serviceaccounts, { metadata: { name: 'sa', namespace: 'ns' } });
  const pod = double.put(pods, { metadata: { name: 'p', namespace: 'ns' }, spec: { serviceAccountName: 'sa' } });
  const issue = (seconds = 3600, audiences = tokens.audiences) =>
    tokens.issue(
      {
        namespace: 'ns',
        serviceAccount: { name: 'sa', uid: account.metadata.uid },
        pod: { name: 'p', uid: pod.metadata.uid },
        node: { name: 'n1', uid: 'nu' },
      },
      { audiences, expirationSeconds: seconds },
    );
  const refused = async (token: string) => {
    try {
      await authenticator.authenticate({ bearerToken: token });
      return false;
    } catch (error) {
      return hasReason(error, 'Unauthorized');
    }
  };
  return { double, tokens, authenticator, pod, issue, refused };
}

describe('who asks', () => {
  it('is read from certificates, and anonymous without any credential', async () => {
    const { authenticator } = setup();
    const certificate = { commonName: 'jane', organizations: ['dev'], fingerprint: 'aabb' };
    expect(await authenticator.authenticate({ certificate })).toEqual({
      name: 'jane',
      groups: ['dev', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=aabb'] },
    });
    expect(await authenticator.authenticate({})).toEqual({
      name: 'system:anonymous',
      groups: ['system:unauthenticated'],
    });
    expect(await authenticator.authenticate({ bearerToken: 'let-me-in' })).toMatchObject({ name: 'carol' });
  });

  it('is a service account while its token, account and pod live', async () => {
    const { double, authenticator, pod, issue, refused } = setup();
    const token = issue();
    const user = await authenticator.authenticate({ bearerToken: token });
    expect(user).toMatchObject({
      name: 'system:serviceaccount:ns:sa',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
        'authentication.kubernetes.io/node-name': ['n1'],
        'authentication.kubernetes.io/node-uid': ['nu'],
      },
    });
    expect(user.extra?.['authentication.kubernetes.io/credential-id']?.[0]).toMatch(/^JTI=[0-9a-f-]{36}$/);
    expect(await refused(`${token.slice(0, -4)}AAAA`)).toBe(true);
    expect(await refused('no.such.token')).toBe(true);
    expect(await refused(issue(3600, ['elsewhere']))).toBe(true);
    double.put(pods, { metadata: { name: 'p', namespace: 'ns', uid: 'another' }, spec: {} });
    expect(await refused(token)).toBe(true);
    double.put(pods, pod);
    expect(await refused(token)).toBe(false);
    await double.clock.advance(3_650_000);
    expect(await refused(token)).toBe(false);
    await double.clock.advance(20_000);
    expect(await refused(token)).toBe(true);
  });

  it('is told to TokenReview, with the reason of a refusal', async () => {
    const { double, authenticator, issue } = setup();
    expect(await authenticator.reviewToken(issue(600, ['vault']), ['vault', 'x'])).toMatchObject({
      authenticated: true,
      audiences: ['vault'],
    });
    expect(await authenticator.reviewToken('abc', [])).toEqual({ authenticated: false, error: 'invalid bearer token' });
    const token = issue(600);
    await double.clock.advance(700_000);
    expect((await authenticator.reviewToken(token, [])).error).toBe(
      '[invalid bearer token, service account token has expired]',
    );
  });

  it('may be a joining node with a bootstrap token', async () => {
    const { double, authenticator, refused } = setup();
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    double.put(secrets, {
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data: {
        'token-id': base64('abcdef'),
        'token-secret': base64('0123456789abcdef'),
        'usage-bootstrap-authentication': base64('true'),
        'auth-extra-groups': base64('system:bootstrappers:x'),
        expiration: base64('2026-01-01T01:00:00Z'),
      },
    });
    expect(await authenticator.authenticate({ bearerToken: 'abcdef.0123456789abcdef' })).toEqual({
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:x', 'system:authenticated'],
    });
    expect(await refused('abcdef.0123456789abcdeX')).toBe(true);
    await double.clock.advance(3_600_000);
    expect(await refused('abcdef.0123456789abcdef')).toBe(true);
  });

  it('can be checked by others with the published keys', () => {
    const { tokens } = setup();
    expect(JSON.parse(tokens.openIdConfiguration('https://h/openid/v1/jwks'))).toEqual({
      issuer: 'https://kubernetes.default.svc.cluster.local',
      jwks_uri: 'https://h/openid/v1/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
    expect(JSON.parse(tokens.keySet()).keys[0]).toMatchObject({ use: 'sig', kty: 'EC', crv: 'P-256', alg: 'ES256' });
  });
});
