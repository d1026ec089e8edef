import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowAll, createTestServer, type TestServer } from '../../../testing/test-server.ts';
import { unauthorized } from '../../api/status.ts';
import { systemRandom } from '../../base/random.ts';
import { createAuthority, createLeaf } from '../../pki/certificate.ts';
import { createSecureListener } from './listener.ts';

const random = systemRandom();
const now = Date.now();
const authority = createAuthority('ca', now, random);
const serving = createLeaf(
  {
    subject: { commonName: 'server' },
    names: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
    usages: ['server auth'],
  },
  authority,
  now,
  random,
);
const client = createLeaf(
  { subject: { commonName: 'jane', organizations: ['team'] }, usages: ['client auth'] },
  authority,
  now,
  random,
);
const stranger = createLeaf(
  { subject: { commonName: 'jane' }, usages: ['client auth'] },
  createAuthority('other', now, random),
  now,
  random,
);

let server: TestServer;
let listener: ReturnType<typeof createSecureListener>;
let port = 0;
let session: ClientHttp2Session;
const seen: string[] = [];

beforeAll(async () => {
  server = await createTestServer({
    makeAuthenticator: () => ({
      async authenticate({ certificate, bearerToken }) {
        if (bearerToken !== undefined && bearerToken !== 'good') throw unauthorized();
        const user = { name: certificate?.commonName ?? 'anonymous', groups: certificate?.organizations ?? [] };
        seen.push(`${user.name} ${user.groups.join()}`);
        return user;
      },
      reviewToken: async () => ({ authenticated: false }),
    }),
    makeAuthorizer: () => ({
      ...allowAll,
      authorize: ({ resource, path }) => ({ allowed: resource !== 'secrets' && path !== '/metrics', reason: '' }),
    }),
  });
  listener = createSecureListener({
    key: serving.key,
    cert: serving.certificate,
    clientCa: authority.certificate,
    front: server.http,
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  port = (listener.address() as AddressInfo).port;
  session = connect(`https://127.0.0.1:${port}`, {
    ca: authority.certificate,
    key: client.key,
    cert: client.certificate,
  });
});
afterAll(async () => {
  session.destroy();
  listener.close();
  await server.close();
});

interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly body: Record<string, never> & { message?: string; reason?: string; kind?: string };
}

const parse = (bytes: Buffer): Answer['body'] => {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return {} as Answer['body'];
  }
};

function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      {
        ':method': method,
        ':path': path,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      { endStream: false },
    );
    const chunks: Buffer[] = [];
    let answer: IncomingHttpHeaders = {};
    stream.on('response', (it) => {
      answer = it;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const bytes = Buffer.concat(chunks);
      resolve({ code: Number(answer[':status']), headers: answer, bytes, body: parse(bytes) });
    });
    stream.on('error', reject);
    if (body === undefined) stream.end();
    else stream.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  });
}

const at = '/api/v1/namespaces/default/configmaps';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

describe('resources over HTTP/2', () => {
  it('creates, reads, lists, patches and deletes', async () => {
    const made = await call('POST', at, { metadata: { name: 'a' }, data: { x: '1' } });
    expect(made.code).toBe(201);
    expect(made.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen.at(-1)).toBe('jane team');
    const got = await call('GET', `${at}/a`);
    expect(got.body).toEqual(made.body);
    expect(got.body).toMatchObject({ kind: 'ConfigMap', metadata: { resourceVersion: expect.any(String) } });
    const list = await call('GET', at);
    expect(list.body).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'a' } }] });
    expect(list.bytes.toString()).not.toContain('"kind":"ConfigMap",');
    const patched = await call(
      'PATCH',
      `${at}/a`,
      { data: { y: 'ü' } },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect(patched.body).toMatchObject({ data: { x: '1', y: 'ü' } });
    expect((await call('HEAD', `${at}/a`)).bytes).toHaveLength(0);
    const gone = await call('DELETE', `${at}/a`, { kind: 'DeleteOptions', propagationPolicy: 'Background' });
    expect(gone.body).toMatchObject({ kind: 'Status', status: 'Success' });
    expect((await call('GET', `${at}/a`)).body).toMatchObject({ code: 404, message: 'configmaps "a" not found' });
  });

  it('prints tables, partial objects and YAML', async () => {
    await call('POST', at, { metadata: { name: 't' }, data: { x: '1' } });
    const printed = await call('GET', `${at}/t`, undefined, { accept: table });
    expect(printed.body).toMatchObject({
      kind: 'Table',
      columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
      rows: [{ cells: ['t', 1, expect.any(String)], object: { kind: 'PartialObjectMetadata' } }],
    });
    const partial = await call('GET', at, undefined, {
      accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    });
    expect(partial.body).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ metadata: { name: 't' } }] });
    const yaml = await call('GET', `${at}/t`, undefined, { accept: 'application/yaml' });
    expect(yaml.bytes.toString()).toContain('kind: ConfigMap\n');
    const sent = await call('POST', at, 'metadata: {name: from-yaml}\ndata: {a: "yes"}\n', {
      'content-type': 'application/yaml',
    });
    expect(sent.code).toBe(201);
    await call('DELETE', at);
  });

  it('compresses long lists for those who can read it', async () => {
    for (const name of ['g1', 'g2']) await call('POST', at, { metadata: { name }, data: { x: 'x'.repeat(100_000) } });
    const packed = await call('GET', at, undefined, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(packed.bytes).toString()).items).toHaveLength(2);
    await call('DELETE', at);
  });

  it('warns in headers', async () => {
    const made = await call(
      'POST',
      `${at}?dryRun=All&fieldValidation=Warn`,
      '{"metadata":{"name":"w"},"data":{},"data":{},"no":1}',
    );
    expect(made.code).toBe(201);
    expect(made.headers['warning']).toBe('299 - "unknown field \\"no\\"", 299 - "duplicate field \\"data\\""');
  });
});

describe('watch', () => {
  const watchLines = (path: string, count: number, headers: Record<string, string> = {}): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': path, ...headers });
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const lines = text.split('\n').filter((line) => line !== '');
        if (lines.length < count) return;
        stream.close();
        resolve(lines);
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(text.split('\n').filter((line) => line !== '')));
    });

  it('streams events, in both spellings', async () => {
    const from = server.storage.revision();
    const lines = watchLines(`${at}?watch=true&resourceVersion=${from}`, 2);
    const old = watchLines(`/api/v1/watch/namespaces/default/configmaps/w?resourceVersion=${from}`, 2);
    await call('POST', at, { metadata: { name: 'w' } });
    await call('DELETE', `${at}/w`);
    expect((await lines).map((line) => JSON.parse(line).type)).toEqual(['ADDED', 'DELETED']);
    expect((await old).map((line) => JSON.parse(line).type)).toEqual(['ADDED', 'DELETED']);
  });

  it('gives column headings with the first table only', async () => {
    const lines = watchLines(`${at}?watch=1&resourceVersion=${server.storage.revision()}`, 2, { accept: table });
    await call('POST', at, { metadata: { name: 'h' } });
    await call('DELETE', `${at}/h`);
    const [first, second] = (await lines).map((line) => JSON.parse(line).object);
    expect(first.columnDefinitions).toHaveLength(3);
    expect(second.columnDefinitions).toBeNull();
  });

  it('ends after timeoutSeconds', async () => {
    expect(await watchLines(`${at}?watch=1&timeoutSeconds=1&resourceVersion=${server.storage.revision()}`, 99)).toEqual(
      [],
    );
  });

  it('outlives a client that never reads', async () => {
    const stuck = session.request({ ':path': `${at}?watch=1&resourceVersion=${server.storage.revision()}` });
    stuck.pause();
    const big = { x: 'x'.repeat(200_000) };
    await call('POST', at, { metadata: { name: 'big' }, data: big });
    for (let i = 0; i < 20; i++)
      await call('PUT', `${at}/big`, { metadata: { name: 'big' }, data: { ...big, i: String(i) } });
    expect((await call('GET', '/healthz')).bytes.toString()).toBe('ok');
    stuck.close();
    await call('DELETE', `${at}/big`);
  });
});

describe('bad input', () => {
  it.each([
    [
      'no JSON',
      'POST',
      at,
      '{"metadata":',
      {},
      400,
      /^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version\/kind; json parse error/,
    ],
    ['no YAML', 'POST', at, 'a: [', { 'content-type': 'application/yaml' }, 400, /./],
    [
      'a wrong type',
      'POST',
      at,
      { metadata: { name: 'x' }, data: { a: 1 } },
      {},
      400,
      /^ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number/,
    ],
    [
      'another content type',
      'POST',
      at,
      'x',
      { 'content-type': 'text/html' },
      415,
      /^the body of the request was in an unknown format - accepted media types include: /,
    ],
    [
      'a patch of no type',
      'PATCH',
      `${at}/x`,
      {},
      {},
      415,
      /accepted media types include: application\/json-patch\+json/,
    ],
    [
      'a broken protobuf',
      'POST',
      at,
      Buffer.from('k8s\0\xff\xff', 'latin1'),
      { 'content-type': 'application/vnd.kubernetes.protobuf' },
      400,
      /unexpected EOF/,
    ],
    [
      'an unacceptable Accept',
      'GET',
      at,
      undefined,
      { accept: 'text/html' },
      406,
      /^only the following media types are accepted/,
    ],
    ['10 MB', 'POST', at, 'x'.repeat(10_000_000), {}, 413, 'Request entity too large: limit is 3145728'],
    [
      'an unknown resource',
      'GET',
      '/api/v1/nonsense',
      undefined,
      {},
      404,
      'the server could not find the requested resource',
    ],
    ['an unknown path', 'GET', '/nonsense', undefined, {}, 404, 'the server could not find the requested resource'],
    ['an unknown method', 'PUT', at, {}, {}, 405, 'the server does not allow this method on the requested resource'],
    ['a bad limit', 'GET', `${at}?limit=x`, undefined, {}, 400, /invalid syntax/],
    ['a bad selector', 'GET', `${at}?labelSelector=a%20in%20(`, undefined, {}, 400, /unable to parse requirement/],
    ['a bad dryRun', 'POST', `${at}?dryRun=x`, {}, {}, 422, /dryRun: Unsupported value/],
    ['a bad token', 'GET', at, undefined, { authorization: 'Bearer bad' }, 401, 'Unauthorized'],
    [
      'what is not allowed',
      'GET',
      '/api/v1/namespaces/default/secrets',
      undefined,
      {},
      403,
      'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"',
    ],
    [
      'a path that is not allowed',
      'GET',
      '/metrics',
      undefined,
      {},
      403,
      'forbidden: User "jane" cannot get path "/metrics"',
    ],
  ] as const)('%s', async (_what, method, path, body, headers, code, message) => {
    const answer = await call(method, path, body, headers as Record<string, string>);
    expect(answer.code).toBe(code);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', code });
    if (typeof message === 'string') expect(answer.body.message).toBe(message);
    else expect(answer.body.message).toMatch(message);
  });

  const overHttp1 = (options: object, path = '/version'): Promise<{ code: number; text: string }> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest(
        { host: '127.0.0.1', port, path, ca: authority.certificate, ...options },
        (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve({ code: response.statusCode ?? 0, text }));
        },
      );
      request.on('error', reject);
      request.end();
    });

  it('refuses a certificate of another authority, on HTTP/1.1 too', async () => {
    expect((await overHttp1({ key: stranger.key, cert: stranger.certificate })).code).toBe(401);
    expect((await overHttp1({ key: client.key, cert: client.certificate })).code).toBe(200);
    expect((await overHttp1({})).code).toBe(200);
  });
});

describe('paths', () => {
  it.each([
    ['/version', { gitVersion: expect.stringMatching(/^v1\.36\./), goVersion: expect.stringMatching(/^node20/) }],
    ['/api', { kind: 'APIVersions', versions: ['v1'] }],
    ['/apis/apps', { kind: 'APIGroup', preferredVersion: { groupVersion: 'apps/v1' } }],
    ['/apis/autoscaling', { versions: [{ version: 'v2' }, { version: 'v1' }] }],
    ['/', { paths: expect.arrayContaining(['/apis/apps/v1', '/livez/ping']) }],
  ])('%s', async (path, expected) => {
    expect((await call('GET', path)).body).toMatchObject(expected);
  });

  it('lists resources with their subresources', async () => {
    const { body } = await call('GET', '/apis/apps/v1');
    const resources = (body as unknown as { resources: { name: string }[] }).resources;
    expect(resources.find((it) => it.name === 'deployments/scale')).toMatchObject({
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
    });
  });

  it('aggregates discovery, with an ETag', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const first = await call('GET', '/apis', undefined, { accept });
    expect(first.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(first.body.kind).toBe('APIGroupDiscoveryList');
    const again = await call('GET', '/apis', undefined, { accept, 'if-none-match': String(first.headers['etag']) });
    expect(again.code).toBe(304);
  });

  it('tells its health', async () => {
    expect((await call('GET', '/readyz?verbose')).bytes.toString()).toMatch(
      /^\[\+\]ping ok\n[\s\S]*readyz check passed\n$/,
    );
    expect((await call('GET', '/livez/etcd')).bytes.toString()).toBe('ok');
    expect((await call('GET', '/livez/none')).code).toBe(404);
  });
});
