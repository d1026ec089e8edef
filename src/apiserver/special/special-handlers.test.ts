import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../../testing/test-server.ts';
import {
  bindings,
  clusterrolebindings,
  clusterroles,
  nodes,
  poddisruptionbudgets,
  pods,
  selfsubjectaccessreviews,
  selfsubjectreviews,
  selfsubjectrulesreviews,
  serviceaccounts,
  subjectaccessreviews,
  tokenreviews,
} from '../../api/generated/resources.ts';
import type { ResourceRequest, UserInfo } from '../../api/handler.ts';
import type { Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import type { Span } from '../../api/trace.ts';
import { newPrivateKey } from '../../pki/certificate.ts';
import { createAuthenticator } from '../authn/authenticator.ts';
import { type ServiceAccountTokens, serviceAccountTokens } from '../authn/service-account-tokens.ts';
import { createAuthorizer } from '../authz/authorizer.ts';
import type { Authenticator, ServerContext } from '../contracts.ts';
import { specialHandlers } from './special-handlers.ts';

let server: TestServer;
let context: ServerContext;
const spans: Span[] = [];
beforeAll(async () => {
  let tokens: ServiceAccountTokens | undefined;
  let authenticator: Authenticator | undefined;
  const late: ServiceAccountTokens = {
    issuer: 'x',
    get audiences() {
      return tokens!.audiences;
    },
    issue: (...given) => tokens!.issue(...given),
    check: (...given) => tokens!.check(...given),
    openIdConfiguration: (uri) => tokens!.openIdConfiguration(uri),
    keySet: () => tokens!.keySet(),
  };
  server = await createTestServer({
    makeAuthorizer: (given) => createAuthorizer(given.reader),
    makeAuthenticator: (given) => {
      context = given;
      const { clock, random, reader } = given;
      tokens = serviceAccountTokens({ signingKey: newPrivateKey(), clock, random, reader });
      authenticator = createAuthenticator({ clock, reader, tokens });
      return authenticator;
    },
    special: specialHandlers({
      tokens: late,
      authenticator: () => authenticator!,
      spans: { record: (span) => void spans.push(span) },
    }),
  });
});
afterAll(() => server.close());

const ask = async (resource: Resource, parts: Partial<ResourceRequest>) => {
  const result = await server.request(resource, { verb: 'create', ...parts });
  if (result.type !== 'answer') throw new Error(`an answer was expected, not ${result.type}`);
  return result as unknown as { code: number; object: { status?: never } & Record<string, never> };
};
const refusal = async (work: Promise<unknown>): Promise<StatusError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};
const newPod = (name: string, labels: Record<string, string> = {}) =>
  server.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { serviceAccountName: 'sa', containers: [{ name: 'c', image: 'i' }] },
  });
const bind = (name: string, node: string) =>
  ask(pods, {
    namespace: 'default',
    name,
    subresource: 'binding',
    body: { metadata: { name, namespace: 'default' }, target: { kind: 'Node', name: node } } as never,
  });
const evict = (name: string) =>
  ask(pods, {
    namespace: 'default',
    name,
    subresource: 'eviction',
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } },
  });

describe('a binding', () => {
  it('gives a pod its node, once', async () => {
    await server.create(nodes, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } });
    await newPod('web');
    expect((await bind('web', 'n1')).code).toBe(201);
    const live = await server.get(pods, 'default', 'web');
    expect(live.spec!.nodeName).toBe('n1');
    expect(live.metadata.labels).toEqual({ 'topology.kubernetes.io/zone': 'z1' });
    expect(live.status!.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    expect(spans.at(-1)).toMatchObject({ step: 'binding', subject: { name: 'web' } });
    const again = await refusal(bind('web', 'n2'));
    expect([again.code, again.message]).toEqual([
      409,
      'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"',
    ]);
    expect((await refusal(bind('ghost', 'n1'))).message).toBe('pods "ghost" not found');
    await newPod('old');
    const legacy = { metadata: { name: 'old', namespace: 'default' }, target: { kind: 'Node', name: 'n1' } };
    expect((await ask(bindings, { namespace: 'default', body: legacy as never })).code).toBe(201);
  });
});

describe('an eviction', () => {
  const budget = (status: object, spec: object = {}) =>
    context.mutate(poddisruptionbudgets, 'default', 'b', (draft) => ({
      ...draft,
      spec: { ...(draft['spec'] as object), ...spec },
      status: { observedGeneration: 9, ...status },
    }));
  const running = async (name: string, ready = true) => {
    await newPod(name, { app: 'guarded' });
    await context.mutate(pods, 'default', name, (draft) => ({
      ...draft,
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    }));
  };
  it('asks the disruption budget', async () => {
    await server.create(poddisruptionbudgets, {
      metadata: { name: 'b', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
    });
    await running('g1');
    await budget({ disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 });
    const refused = await refusal(evict('g1'));
    expect([refused.code, refused.message, refused.status.details?.causes]).toEqual([
      429,
      "Cannot evict pod as it would violate the pod's disruption budget.",
      [{ reason: 'DisruptionBudget', message: 'The disruption budget b needs 1 healthy pods and has 1 currently' }],
    ]);
    await budget({ disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1 });
    expect((await evict('g1')).code).toBe(201);
    const after = context.reader.get(poddisruptionbudgets, 'default', 'b')!.status!;
    expect(after.disruptionsAllowed).toBe(0);
    expect(Object.keys(after.disruptedPods ?? {})).toEqual(['g1']);
    await running('sick', false);
    await budget({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 });
    expect((await refusal(evict('sick'))).code).toBe(429);
    await budget(
      { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 },
      { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    );
    expect((await evict('sick')).code).toBe(201);
    await newPod('pending', { app: 'guarded' });
    expect((await evict('pending')).code).toBe(201);
    expect((await refusal(evict('nobody'))).code).toBe(404);
  });
});

describe('tokens', () => {
  it('are issued, bound, and known again', async () => {
    await server.create(serviceaccounts, { metadata: { name: 'sa', namespace: 'default' } });
    const live = await newPod('holder');
    const token = (spec: object) =>
      ask(serviceaccounts, {
        namespace: 'default',
        name: 'sa',
        subresource: 'token',
        body: { kind: 'TokenRequest', spec } as never,
      });
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'holder', uid: live.metadata.uid };
    const made = (await token({ expirationSeconds: 3607, boundObjectRef })).object as never as {
      status: { token: string };
      spec: object;
    };
    expect(made.spec).toMatchObject({
      audiences: ['https://kubernetes.default.svc.cluster.local'],
      expirationSeconds: 3607,
    });
    const claims = JSON.parse(Buffer.from(made.status.token.split('.')[1]!, 'base64url').toString());
    expect(claims.exp - claims.iat).toBe(365 * 24 * 3600);
    expect(claims['kubernetes.io']).toMatchObject({
      namespace: 'default',
      pod: { name: 'holder' },
      serviceaccount: { name: 'sa' },
    });
    const review = await ask(tokenreviews, { body: { spec: { token: made.status.token } } as never });
    expect(review.object.status).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:default:sa' },
    });
    expect((await refusal(token({ expirationSeconds: 60 }))).message).toBe(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
    );
    expect((await refusal(token({ boundObjectRef: { ...boundObjectRef, uid: 'other' } }))).code).toBe(409);
  });
});

describe('reviews', () => {
  it('tell who may do what', async () => {
    await server.create(clusterroles, {
      metadata: { name: 'viewer' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
    });
    await server.create(clusterrolebindings, {
      metadata: { name: 'viewers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'viewer' },
      subjects: [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    await server.create(clusterroles, {
      metadata: { name: 'self' },
      rules: [
        {
          apiGroups: ['authorization.k8s.io', 'authentication.k8s.io'],
          resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews'],
          verbs: ['create'],
        },
      ],
    });
    await server.create(clusterrolebindings, {
      metadata: { name: 'self' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'self' },
      subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    const may = async (verb: string) =>
      (
        await ask(subjectaccessreviews, {
          body: { spec: { user: 'bob', resourceAttributes: { verb, resource: 'pods', namespace: 'x' } } } as never,
        })
      ).object.status;
    expect(await may('list')).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by ClusterRoleBinding "viewers" of ClusterRole "viewer" to User "bob"',
    });
    expect(await may('delete')).toEqual({ allowed: false });
    const bob: UserInfo = { name: 'bob', groups: ['system:authenticated'] };
    const own = await ask(selfsubjectaccessreviews, {
      user: bob,
      body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } } as never,
    });
    expect(own.object.status).toMatchObject({ allowed: true });
    const rules = await ask(selfsubjectrulesreviews, { user: bob, body: { spec: { namespace: 'x' } } as never });
    expect(rules.object.status).toMatchObject({
      incomplete: false,
      resourceRules: [{ verbs: ['get', 'list'], resources: ['pods'] }, {}],
    });
    const me = await ask(selfsubjectreviews, { user: bob, body: {} });
    expect(me.object.status).toEqual({ userInfo: { username: 'bob', groups: ['system:authenticated'] } });
    expect((await refusal(ask(subjectaccessreviews, { body: { spec: { user: 'x' } } as never }))).message).toBe(
      'SubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  });
});
