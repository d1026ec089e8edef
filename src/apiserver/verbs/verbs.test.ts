import { afterEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer, type TestServerOptions } from '../../../testing/test-server.ts';
import {
  configmaps,
  deployments,
  horizontalpodautoscalers,
  horizontalpodautoscalersV1,
  leases,
  namespaces,
  pods,
  services,
} from '../../api/generated/resources.ts';
import type { ResourceRequest, WatchEvent, WatchStream } from '../../api/handler.ts';
import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import type { Span } from '../../api/trace.ts';
import { virtualClock } from '../../base/virtual-clock.ts';

let server: TestServer;
const start = async (options: TestServerOptions = {}): Promise<TestServer> => {
  server = await createTestServer(options);
  return server;
};
afterEach(() => server?.close());

const cm = (name: string, data: Record<string, string> = {}, namespace = 'default') => ({
  metadata: { name, namespace },
  data,
});
const pod = (name: string, more: object = {}) => ({
  metadata: { name, namespace: 'default', ...more },
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
});
const refused = async (promise: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> => {
  const error = await promise.then(
    () => undefined,
    (it: unknown) => it,
  );
  expect(error).toBeInstanceOf(StatusError);
  const { code, reason, message } = error as StatusError;
  return { code, reason, message };
};
const patch = (resource: Resource, name: string, type: string, body: unknown, more: Partial<ResourceRequest> = {}) =>
  server.request(resource, {
    verb: 'patch',
    namespace: 'default',
    name,
    patch: { type: type as 'application/merge-patch+json', body },
    ...more,
  });
const objectOf = async (answer: ReturnType<TestServer['handler']>): Promise<Live & Record<string, never>> => {
  const result = await answer;
  if (result.type !== 'object' && result.type !== 'answer') throw new Error(result.type);
  return result.object as never;
};

describe('create', () => {
  it('fills in metadata, freezes, and refuses a second of the name', async () => {
    await start();
    const made = await server.create(configmaps, cm('a', { x: 'y' }));
    expect(made).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { x: 'y' } });
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.metadata.creationTimestamp).toMatch(/Z$/);
    expect(Object.isFrozen(made.data)).toBe(true);
    expect(await server.get(configmaps, 'default', 'a')).toBe(made);
    expect(await refused(server.create(configmaps, cm('a')))).toEqual({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists',
    });
  });

  it('draws names, and says when the drawn ones are all taken', async () => {
    await start({ random: { next: () => 0, bytes: (n) => new Uint8Array(n) } });
    const body = { metadata: { generateName: 'x-', namespace: 'default' } };
    expect((await server.create(configmaps, { ...body })).metadata.name).toBe('x-bbbbb');
    expect(await refused(server.create(configmaps, { ...body }))).toMatchObject({
      reason: 'AlreadyExists',
      message: 'configmaps "x-bbbbb" already exists, the server was not able to generate a unique name for the object',
    });
  });

  it.each([
    [
      { ...cm('a'), kind: 'Pod' },
      {},
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (v1.ConfigMap): unknown conversion',
    ],
    [
      { ...cm('a'), apiVersion: 'v2' },
      {},
      'the API version in the data (v2) does not match the expected API version (v1)',
    ],
    [
      cm('a', {}, 'other'),
      { namespace: 'default' },
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      { ...cm('a'), metadata: { name: 'a', namespace: 'default', resourceVersion: '7' } },
      {},
      'resourceVersion should not be set on objects to be created',
    ],
    [
      { ...cm('a'), nonsense: 1 },
      { options: { fieldValidation: 'Strict' } },
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nonsense"',
    ],
  ] as const)('refuses %j', async (body, request, message) => {
    await start();
    expect(
      await refused(server.create(configmaps, body as KubeObject, request as Partial<ResourceRequest>)),
    ).toMatchObject({ message });
  });

  it('warns of unknown fields, and stores nothing in a dry run', async () => {
    await start();
    const warnings: string[] = [];
    await server.create(configmaps, { ...cm('a'), nonsense: 1 } as KubeObject, {
      options: { dryRun: true },
      warn: (text) => warnings.push(text),
    });
    expect(warnings).toEqual(['unknown field "nonsense"']);
    expect(await refused(server.get(configmaps, 'default', 'a'))).toMatchObject({
      code: 404,
      message: 'configmaps "a" not found',
    });
  });

  it('records spans with the writer and what it had read', async () => {
    const spans: Span[] = [];
    await start({ spans: { record: (span) => spans.push(span) } });
    spans.length = 0;
    const reads = [{ resource: 'replicasets.apps', namespace: 'default', name: 'r', resourceVersion: '3' }];
    const made = await server.create(configmaps, cm('a'), { reads, userAgent: 'tester' });
    expect(spans).toMatchObject([
      {
        step: 'apiserver',
        what: 'create',
        writer: 'admin (tester)',
        reads,
        subject: { name: 'a', uid: made.metadata.uid },
      },
      { step: 'store', what: 'commit', revision: Number(made.metadata.resourceVersion) },
    ]);
  });
});

describe('update', () => {
  it('needs the newest version where one is named', async () => {
    await start();
    const made = await server.create(configmaps, cm('a'));
    const next = await server.update(configmaps, { ...made, data: { x: '1' } });
    expect(await refused(server.update(configmaps, { ...made, data: { x: '2' } }))).toEqual({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
    const unconditional = await server.update(configmaps, cm('a', { x: '3' }));
    expect(Number(unconditional.metadata.resourceVersion)).toBeGreaterThan(Number(next.metadata.resourceVersion));
    expect(unconditional.metadata.uid).toBe(made.metadata.uid);
  });

  it('writes no revision when nothing changes', async () => {
    await start();
    const made = await server.create(configmaps, cm('a', { x: '1' }));
    expect(await server.update(configmaps, cm('a', { x: '1' }))).toBe(made);
  });

  it.each([
    [
      'another name',
      configmaps,
      { ...cm('b'), metadata: { name: 'b', namespace: 'default' } },
      'the name of the object (b) does not match the name on the URL (a)',
    ],
    [
      'another uid',
      configmaps,
      { ...cm('a'), metadata: { name: 'a', namespace: 'default', uid: 'u' } },
      /Precondition failed: UID in precondition: u, UID in object meta: /,
    ],
  ] as const)('refuses %s', async (_what, resource, body, message) => {
    await start();
    await server.create(configmaps, cm('a'));
    const { message: said } = await refused(server.update(resource, body as KubeObject, { name: 'a' }));
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  it('creates leases by update, but no pods; leases need a resourceVersion', async () => {
    await start();
    const lease = { metadata: { name: 'l', namespace: 'default' }, spec: { holderIdentity: 'me' } };
    const result = await server.request(leases, { verb: 'update', namespace: 'default', name: 'l', body: lease });
    expect(result).toMatchObject({ type: 'object', created: true });
    expect(await refused(server.update(leases, lease))).toMatchObject({
      code: 422,
      message:
        'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
    expect(await refused(server.update(pods, pod('p')))).toMatchObject({ code: 404 });
  });

  it('keeps status from the main endpoint and spec from status, and counts generations', async () => {
    await start();
    const deployment = {
      metadata: { name: 'd', namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    };
    const made = await server.create(deployments, deployment);
    expect(made.metadata.generation).toBe(1);
    const status = await server.update(
      deployments,
      { ...made, spec: { ...made.spec, replicas: 9 }, status: { replicas: 1, observedGeneration: 1 } } as never,
      { subresource: 'status' },
    );
    expect(status).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1 }, metadata: { generation: 1 } });
    const next = await server.update(deployments, {
      ...status,
      spec: { ...status.spec, replicas: 2 },
      status: {},
    } as never);
    expect(next).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 1 }, metadata: { generation: 2 } });
  });
});

describe('patch', () => {
  it.each([
    ['application/json-patch+json', [{ op: 'add', path: '/data/y', value: '2' }]],
    ['application/merge-patch+json', { data: { y: '2' } }],
    ['application/strategic-merge-patch+json', { data: { y: '2' } }],
  ])('%s', async (type, body) => {
    await start();
    await server.create(configmaps, cm('a', { x: '1' }));
    expect(await objectOf(patch(configmaps, 'a', type, body))).toMatchObject({ data: { x: '1', y: '2' } });
    expect(await refused(patch(configmaps, 'none', type, body))).toMatchObject({ code: 404 });
  });

  it('applies: creates, owns, conflicts, forces', async () => {
    await start();
    const type = 'application/apply-patch+yaml';
    const body = (value: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a' },
      data: { x: value },
    });
    const first = await patch(configmaps, 'a', type, body('1'), { options: { fieldManager: 'one' } });
    expect(first).toMatchObject({ type: 'object', created: true });
    const { code, message } = await refused(
      patch(configmaps, 'a', type, body('2'), { options: { fieldManager: 'two' } }),
    );
    expect(code).toBe(409);
    expect(message).toBe('Apply failed with 1 conflict: conflict with "one": .data.x');
    const forced = await objectOf(
      patch(configmaps, 'a', type, body('2'), { options: { fieldManager: 'two', force: true } }),
    );
    expect(forced.metadata.managedFields).toMatchObject([{ manager: 'two', operation: 'Apply' }]);
    expect(await refused(patch(configmaps, 'a', type, body('2')))).toMatchObject({
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    });
  });

  it('tries again when others write between, and loses nothing', async () => {
    await start();
    await server.create(configmaps, cm('a'));
    await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((key) =>
        patch(configmaps, 'a', 'application/merge-patch+json', { data: { [key]: '1' } }),
      ),
    );
    expect(Object.keys((await server.get(configmaps, 'default', 'a')).data ?? {}).sort()).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ]);
  });
});

describe('scale', () => {
  it('reads and writes replicas', async () => {
    await start();
    await server.create(deployments, {
      metadata: { name: 'd', namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    });
    const read = await objectOf(
      server.request(deployments, { verb: 'get', subresource: 'scale', namespace: 'default', name: 'd' }),
    );
    expect(read).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { replicas: 0, selector: 'a=b' },
    });
    await patch(deployments, 'd', 'application/merge-patch+json', { spec: { replicas: 4 } }, { subresource: 'scale' });
    expect(await server.get(deployments, 'default', 'd')).toMatchObject({
      spec: { replicas: 4 },
      metadata: { generation: 2 },
    });
  });
});

describe('delete', () => {
  it('answers with a Status, or the object for some kinds', async () => {
    await start();
    const made = await server.create(configmaps, cm('a'));
    const gone = await server.request(configmaps, { verb: 'delete', namespace: 'default', name: 'a' });
    expect(gone).toMatchObject({
      type: 'answer',
      code: 200,
      object: { kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps', uid: made.metadata.uid } },
    });
    await server.create(services, { metadata: { name: 's', namespace: 'default' }, spec: { ports: [{ port: 80 }] } });
    expect(await server.request(services, { verb: 'delete', namespace: 'default', name: 's' })).toMatchObject({
      type: 'object',
      object: { kind: 'Service' },
    });
  });

  it('checks preconditions', async () => {
    await start();
    await server.create(configmaps, cm('a'));
    expect(await refused(server.delete(configmaps, 'default', 'a', { preconditions: { uid: 'u' } }))).toMatchObject({
      code: 409,
      message: expect.stringContaining('the UID in the precondition (u) does not match the UID in record'),
    });
  });

  it('waits for finalizers and goes with the last of them', async () => {
    await start();
    await server.create(configmaps, { metadata: { name: 'a', namespace: 'default', finalizers: ['x.io/wait'] } });
    const marked = await objectOf(server.request(configmaps, { verb: 'delete', namespace: 'default', name: 'a' }));
    expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, deletionTimestamp: expect.any(String) });
    expect(await refused(server.create(configmaps, cm('a')))).toMatchObject({
      message: 'object is being deleted: configmaps "a" already exists',
    });
    await patch(configmaps, 'a', 'application/merge-patch+json', { metadata: { finalizers: null } });
    expect(await refused(server.get(configmaps, 'default', 'a'))).toMatchObject({ code: 404 });
  });

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ] as const)('%s puts its finalizer on', async (propagationPolicy, finalizers) => {
    await start();
    await server.create(configmaps, cm('a'));
    await server.delete(configmaps, 'default', 'a', { propagationPolicy });
    expect((await server.get(configmaps, 'default', 'a')).metadata.finalizers).toEqual(finalizers);
  });

  it('lets bound pods end gracefully, shortens, and forces', async () => {
    const clock = virtualClock();
    await start({ clock });
    const make = (name: string) => server.create(pods, { ...pod(name), spec: { ...pod(name).spec, nodeName: 'n' } });
    await make('p');
    await server.delete(pods, 'default', 'p');
    const first = (await server.get(pods, 'default', 'p')).metadata;
    expect(first.deletionGracePeriodSeconds).toBe(30);
    expect(Date.parse(first.deletionTimestamp ?? '')).toBe(clock.now() + 30_000);
    await server.delete(pods, 'default', 'p', { gracePeriodSeconds: 60 });
    expect((await server.get(pods, 'default', 'p')).metadata.resourceVersion).toBe(first.resourceVersion);
    await server.delete(pods, 'default', 'p', { gracePeriodSeconds: 5 });
    expect((await server.get(pods, 'default', 'p')).metadata.deletionGracePeriodSeconds).toBe(5);
    await server.delete(pods, 'default', 'p', { gracePeriodSeconds: 0 });
    expect(await refused(server.get(pods, 'default', 'p'))).toMatchObject({ code: 404 });
  });

  it('lets namespaces wait for their contents', async () => {
    await start();
    await server.delete(namespaces, undefined, 'default');
    const ns = await server.get(namespaces, undefined, 'default');
    expect(ns).toMatchObject({ status: { phase: 'Terminating' }, metadata: { deletionTimestamp: expect.any(String) } });
    expect(await refused(server.delete(namespaces, undefined, 'default'))).toMatchObject({ code: 409 });
    await server.update(namespaces, { ...ns, spec: {} } as never, { subresource: 'finalize' });
    expect(await refused(server.get(namespaces, undefined, 'default'))).toMatchObject({ code: 404 });
  });

  it('deletes collections by selector', async () => {
    await start();
    for (const name of ['a', 'b', 'c']) {
      await server.create(configmaps, {
        metadata: { name, namespace: 'default', labels: { keep: String(name === 'b') } },
      });
    }
    await server.request(configmaps, {
      verb: 'deletecollection',
      namespace: 'default',
      options: { labelSelector: 'keep=false' },
    });
    expect((await server.list(configmaps, 'default')).items.map((it) => it.metadata.name)).toEqual(['b']);
  });
});

describe('list', () => {
  const page = async (options: ResourceRequest['options']) => {
    const result = await server.request(configmaps, { verb: 'list', namespace: 'default', options });
    if (result.type !== 'list') throw new Error('no list');
    return { names: result.list.items.map((it) => it.metadata.name), ...result.list.metadata };
  };

  it('pages through one state, whatever is written meanwhile', async () => {
    await start();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await server.create(configmaps, cm(name));
    const first = await page({ limit: 2 });
    expect(first).toMatchObject({ names: ['a', 'b'], remainingItemCount: 3 });
    await server.delete(configmaps, 'default', 'd');
    await server.create(configmaps, cm('ca'));
    const second = await page({ limit: 2, continue: first.continue! });
    expect(second).toMatchObject({ names: ['c', 'd'], remainingItemCount: 1, resourceVersion: first.resourceVersion });
    const third = await page({ limit: 2, continue: second.continue! });
    expect(third.names).toEqual(['e']);
    expect(third.continue).toBeUndefined();
    await server.store.compact(server.storage.revision());
    const { code, message } = await refused(page({ limit: 2, continue: first.continue! }));
    expect(code).toBe(410);
    expect(message).toMatch(/^The provided continue parameter is too old to display a consistent list result/);
    expect((await page({ resourceVersion: '0' })).names).toEqual(['a', 'b', 'c', 'ca', 'e']);
  });

  it('reads exact revisions and refuses those to come', async () => {
    await start();
    const a = await server.create(configmaps, cm('a'));
    await server.create(configmaps, cm('b'));
    const exact = { resourceVersion: a.metadata.resourceVersion, resourceVersionMatch: 'Exact' } as const;
    expect((await page(exact)).names).toEqual(['a']);
    expect((await page({ ...exact, resourceVersionMatch: 'NotOlderThan' })).names).toEqual(['a', 'b']);
  });

  it('reads an object as of a revision, also one that is gone', async () => {
    await start();
    const a = await server.create(configmaps, cm('a'));
    const b = await server.create(configmaps, cm('b'));
    await server.delete(configmaps, 'default', 'a');
    const past = { resourceVersion: a.metadata.resourceVersion, resourceVersionMatch: 'Exact' } as const;
    const read = async (name: string) => {
      const result = await server.request(configmaps, { verb: 'get', namespace: 'default', name, options: past });
      return result.type === 'object' ? result.object : undefined;
    };
    expect(await read('a')).toEqual(a);
    expect(await refused(read(b.metadata.name))).toMatchObject({ code: 404 });
    await server.store.compact(server.storage.revision());
    expect(await refused(read('a'))).toMatchObject({ code: 410 });
  });

  it.each([
    [{ labelSelector: 'a in (' }, /unable to parse requirement/],
    [
      { fieldSelector: 'spec.x=1' },
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [{ continue: 'xx' }, /^invalid continue token/],
    [{ resourceVersion: 'abc' }, /Invalid value: "abc"/],
  ])('refuses %j', async (options, message) => {
    await start();
    const said = await refused(page(options));
    expect([400, 410]).toContain(said.code);
    if (typeof message === 'string') expect(said.message).toBe(message);
    else expect(said.message).toMatch(message);
  });

  it('selects by name and label', async () => {
    await start();
    await server.create(configmaps, { metadata: { name: 'a', namespace: 'default', labels: { x: '1' } } });
    await server.create(configmaps, cm('b'));
    expect((await page({ fieldSelector: 'metadata.name=b' })).names).toEqual(['b']);
    expect((await page({ fieldSelector: 'metadata.name!=b' })).names).toEqual(['a']);
    expect((await page({ labelSelector: 'x' })).names).toEqual(['a']);
  });
});

describe('watch', () => {
  const events = async (stream: WatchStream, count: number): Promise<string[]> => {
    const seen: WatchEvent[] = [];
    for await (const batch of stream) {
      seen.push(...batch);
      if (seen.length >= count) break;
    }
    return seen.map((it) => {
      if (it.type === 'BOOKMARK') return it.initialEventsEnd ? 'END' : 'BOOKMARK';
      return it.type === 'ERROR' ? it.error.message : `${it.type} ${it.object.metadata.name}`;
    });
  };
  const watch = async (options: ResourceRequest['options'], namespace = 'default'): Promise<WatchStream> => {
    const result = await server.request(configmaps, { verb: 'watch', namespace, options });
    if (result.type !== 'watch') throw new Error('no watch');
    return result.stream;
  };

  it('turns changes that enter or leave the selection into ADDED and DELETED', async () => {
    await start();
    const from = server.storage.revision();
    const labelled = (x: string) => ({ metadata: { name: 'a', namespace: 'default', labels: { x } } });
    await server.create(configmaps, labelled('0'));
    for (const x of ['1', '1', '2'])
      await server.update(configmaps, { ...labelled(x), data: { n: String(Math.abs(from)), x } });
    await server.create(configmaps, cm('elsewhere', {}, 'kube-system'));
    await server.delete(configmaps, 'default', 'a');
    const stream = await watch({ labelSelector: 'x=1', resourceVersion: String(from) });
    expect(await events(stream, 2)).toEqual(['ADDED a', 'DELETED a']);
  });

  it('streams what is there, the end mark, and what comes', async () => {
    await start();
    await server.create(configmaps, cm('a'));
    const stream = await watch({
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
    });
    await server.create(configmaps, cm('b'));
    expect(await events(stream, 3)).toEqual(['ADDED a', 'END', 'ADDED b']);
  });

  it('says when the past is gone', async () => {
    const store = (await start()).store;
    await server.create(configmaps, cm('a'));
    const { createTestServer: again } = await import('../../../testing/test-server.ts');
    const second = await again({ store });
    const result = await second.request(configmaps, { verb: 'watch', options: { resourceVersion: '1' } });
    if (result.type !== 'watch') throw new Error('no watch');
    expect(await events(result.stream, 1)).toEqual([expect.stringMatching(/^too old resource version: 1 \(\d+\)$/)]);
  });

  it('sends bookmarks each minute and ends after timeoutSeconds', async () => {
    const clock = virtualClock();
    await start({ clock });
    const stream = await watch({
      resourceVersion: String(server.storage.revision()),
      allowWatchBookmarks: true,
      timeoutSeconds: 90,
    });
    const all = events(stream, 99);
    await clock.advance(100_000);
    expect(await all).toEqual(['BOOKMARK', 'BOOKMARK']);
  });
});

describe('versions', () => {
  it('serves one stored object in two', async () => {
    await start();
    await server.create(horizontalpodautoscalersV1, {
      metadata: { name: 'h', namespace: 'default' },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
        targetCPUUtilizationPercentage: 50,
      },
    });
    const v2 = await server.get(horizontalpodautoscalers, 'default', 'h');
    expect(v2).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 50 } } }] },
    });
    expect(await server.get(horizontalpodautoscalersV1, 'default', 'h')).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { targetCPUUtilizationPercentage: 50 },
    });
  });
});

describe('restart', () => {
  it('finds everything again', async () => {
    const { store } = await start();
    const made = await server.create(configmaps, cm('a', { x: '1' }));
    const second = await createTestServer({ store });
    expect(await second.get(configmaps, 'default', 'a')).toEqual(made);
  });
});
