import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../src/base/random.ts';
import { createAuthority, createLeaf } from '../src/pki/certificate.ts';
import { startTestCluster, type TestCluster } from './harness.ts';
import { type Access, accessOf, anonymously, ask, openTls, type Reply, untilClosed } from './raw-https.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, more: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more });
const yaml = { 'Content-Type': 'application/yaml' };
const [day, year] = [24 * 3600 * 1000, 365 * 24 * 3600 * 1000];

let cluster: TestCluster;
let admin: Access & { readonly cert: Buffer; readonly key: Buffer };

/** Others are served while one misbehaves. */
const stillServes = async (): Promise<void> => {
  expect((await ask(admin, 'GET', '/readyz')).text).toBe('ok');
};
const expectStatus = (reply: Reply, code: number, reason: string, message: RegExp | string): void => {
  expect(reply.json, reply.text.slice(0, 500)).toMatchObject({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
  expect(reply.code).toBe(code);
};

beforeAll(async () => {
  cluster = await startTestCluster({ args: ['--no-node'] });
  admin = accessOf(cluster.kubeconfig);
});
afterAll(() => cluster?.dispose());

describe('bodies', () => {
  it.each([
    [
      'JSON that ends too early',
      '{"metadata":',
      {},
      /couldn't get version\/kind; json parse error: unexpected end of JSON input/,
    ],
    ['no JSON at all', 'hello', {}, /json parse error: invalid character 'h' looking for beginning of value/],
    ['malformed YAML', 'a: [b', yaml, /error converting YAML to JSON: yaml: line 1/],
    ['a list', '[]', {}, /./],
    ['nothing', '', {}, /./],
    ['a YAML bomb', bomb(), yaml, /error converting YAML to JSON/],
    [
      'JSON nested deeper than any object',
      `{"metadata":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
      {},
      /exceeded max depth/,
    ],
    [
      'a wrong type',
      '{"metadata":{"name":"x"},"data":["a"]}',
      {},
      /cannot unmarshal array into Go struct field ConfigMap.data/,
    ],
    [
      'another kind',
      '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}',
      {},
      /Secret in version "v1" cannot be handled as a ConfigMap/,
    ],
    [
      'another version',
      '{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"x"}}',
      {},
      /does not match the expected API version \(v1\)/,
    ],
  ])('%s is a bad request', async (_, body, headers, message) => {
    expectStatus(await ask(admin, 'POST', configMaps, { body, headers }), 400, 'BadRequest', message);
    await stillServes();
  });

  it('unknown fields are refused, warned of, or let pass, as asked', async () => {
    const post = (validation: string, name: string) =>
      ask(admin, 'POST', `${configMaps}?fieldValidation=${validation}`, { body: configMap(name, { dta: {} }) });
    expectStatus(await post('Strict', 'f-strict'), 400, 'BadRequest', /strict decoding error: unknown field "dta"$/);
    const warned = await post('Warn', 'f-warn');
    expect([warned.code, warned.headers['warning']]).toEqual([201, '299 - "unknown field \\"dta\\""']);
    const passed = await post('Ignore', 'f-ignore');
    expect([passed.code, passed.headers['warning']]).toEqual([201, undefined]);
    expectStatus(await post('Perhaps', 'f-other'), 422, 'Invalid', /Unsupported value: "Perhaps"/);
  });

  it('ten megabytes are too large, announced or not', async () => {
    const body = Buffer.alloc(10 << 20, ' ');
    const announced = await openTls(admin);
    announced.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    const { text, closed } = await untilClosed(announced, 20_000);
    expect([text.split('\r\n')[0], closed]).toEqual(['HTTP/1.1 413 Payload Too Large', true]);
    expect(text).toContain('"reason":"RequestEntityTooLarge"');
    const streamed = await openTls(admin);
    streamed.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const answer = untilClosed(streamed, 20_000);
    for (let i = 0; i < 10 && streamed.writable; i++) {
      streamed.write(`100000\r\n`);
      streamed.write(Buffer.alloc(1 << 20, ' '));
      streamed.write('\r\n');
    }
    expect((await answer).closed).toBe(true);
    await stillServes();
  });

  it('a content type nobody reads is unsupported', async () => {
    const reply = await ask(admin, 'POST', configMaps, { body: 'x', headers: { 'Content-Type': 'text/html' } });
    expectStatus(reply, 415, 'UnsupportedMediaType', /^the body of the request was in an unknown format/);
    const patch = await ask(admin, 'PATCH', `${configMaps}/kube-root-ca.crt`, { body: '{}' });
    expectStatus(patch, 415, 'UnsupportedMediaType', /accepted media types include: application\/json-patch\+json/);
  });

  it('senders who never finish do not stand in the way of others', async () => {
    const slow = await Promise.all(Array.from({ length: 50 }, () => openTls(admin)));
    for (const socket of slow)
      socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"metadata"`);
    expect((await ask(admin, 'POST', configMaps, { body: configMap('between') })).code).toBe(201);
    for (const socket of slow) socket.destroy();
  });
});

/** Nine lists of nine references to the list before: 9^9 items once written out. */
function bomb(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [i, name] of [...'bcdefghi'].entries()) {
    const last = `*${'abcdefgh'[i]}`;
    lines.push(`${name}: &${name} [${Array(9).fill(last).join(', ')}]`);
  }
  return lines.join('\n');
}

describe('requests', () => {
  it('for what is not there: not found', async () => {
    for (const path of ['/apis/nobody.example.com/v1/things', '/api/v9/pods', '/api/v1/nonsense', '/nowhere']) {
      expectStatus(await ask(admin, 'GET', path), 404, 'NotFound', 'the server could not find the requested resource');
    }
    expectStatus(await ask(admin, 'GET', `${configMaps}/nope`), 404, 'NotFound', 'configmaps "nope" not found');
    expectStatus(await ask(admin, 'GET', `${configMaps}/..%2f..%2fsecrets`), 404, 'NotFound', /not found$/);
    expectStatus(await ask(admin, 'GET', `${configMaps}/%00`), 404, 'NotFound', /not found$/);
  });

  it('of methods that a path does not have: not allowed', async () => {
    expectStatus(await ask(admin, 'PUT', configMaps), 405, 'MethodNotAllowed', /does not allow this method/);
    expectStatus(await ask(admin, 'PROPFIND', configMaps), 405, 'MethodNotAllowed', /does not allow this method/);
  });

  it.each([
    ['labelSelector=a in (', /unable to parse requirement/],
    ['labelSelector=,,,', /^found ',', expected: !, identifier, or 'end of string'$/],
    [`labelSelector=${'a'.repeat(300)}=b`, /unable to parse requirement|name part must be no more than 63 characters/],
    ['fieldSelector=spec.nope=1', /field label not supported/],
    ['fieldSelector=nonsense', /invalid selector: 'nonsense'; can't understand 'nonsense'/],
    ['continue=nonsense', /continue key is not valid/],
    ['limit=many', /strconv.ParseInt: parsing "many": invalid syntax/],
    ['resourceVersion=old', /resourceVersion: Invalid value: "old"/],
  ])('with %s: bad', async (query, message) => {
    const reply = await ask(admin, 'GET', `/api/v1/pods?${query.replaceAll(' ', '%20')}`);
    expectStatus(reply, 400, 'BadRequest', message);
  });

  it('with a selector of a hundred thousand characters: answered', async () => {
    const values = Array.from({ length: 10_000 }, (_, i) => `value-${i}`).join(',');
    const reply = await ask(admin, 'GET', `/api/v1/pods?labelSelector=a+in+(${values})`);
    expect([reply.code, reply.json.kind]).toEqual([200, 'PodList']);
  });

  it('with headers beyond a megabyte, or no HTTP at all: shown the door', async () => {
    const big = await openTls(admin);
    big.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(2 << 20)}\r\n\r\n`);
    expect((await untilClosed(big, 20_000)).closed).toBe(true);
    const garbage = await openTls(admin);
    garbage.write('\x00\x01\x02 garbage\r\n\r\n');
    const { text, closed } = await untilClosed(garbage, 20_000);
    expect([text.split('\r\n')[0], closed]).toEqual(['HTTP/1.1 400 Bad Request', true]);
    await stillServes();
  });

  it('with an old resourceVersion: a conflict', async () => {
    const made = await ask(admin, 'POST', configMaps, { body: configMap('stale') });
    const { resourceVersion } = made.json.metadata ?? { resourceVersion: '' };
    const put = (n: string) =>
      ask(admin, 'PUT', `${configMaps}/stale`, {
        body: JSON.stringify({ metadata: { name: 'stale', resourceVersion }, data: { n } }),
      });
    expect((await put('1')).code).toBe(200);
    expectStatus(
      await put('2'),
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
    );
    const body = JSON.stringify({ preconditions: { resourceVersion } });
    expectStatus(
      await ask(admin, 'DELETE', `${configMaps}/stale`, { body }),
      409,
      'Conflict',
      /the ResourceVersion in the precondition \(\d+\) does not match the ResourceVersion in record/,
    );
  });
});

describe('credentials', () => {
  const random = systemRandom();
  const pki = (name: string): string => readFileSync(join(cluster.dataDir, 'pki', name), 'utf8');
  const leafOf = (authority: { readonly certificate: string; readonly key: string }, now: number): Access => {
    const subject = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };
    const { certificate, key } = createLeaf({ subject, usages: ['client auth'] }, authority, now, random);
    return { ...anonymously(admin), cert: certificate, key };
  };

  it('of another authority, or out of date: unauthorized', async () => {
    const other = leafOf(createAuthority('kubernetes', Date.now(), random), Date.now());
    expectStatus(await ask(other, 'GET', '/api/v1/pods'), 401, 'Unauthorized', 'Unauthorized');
    const expired = leafOf({ certificate: pki('ca.crt'), key: pki('ca.key') }, Date.now() - 5 * year);
    expectStatus(await ask(expired, 'GET', '/api/v1/pods'), 401, 'Unauthorized', 'Unauthorized');
    const early = leafOf({ certificate: pki('ca.crt'), key: pki('ca.key') }, Date.now() + 30 * day);
    expectStatus(await ask(early, 'GET', '/api/v1/pods'), 401, 'Unauthorized', 'Unauthorized');
  });

  it.each(['Bearer nonsense', 'Bearer a.b.c', 'Bearer abcdef.0123456789abcdef', 'Basic YTpi'])(
    '%s: unauthorized',
    async (authorization) => {
      const reply = await ask(anonymously(admin), 'GET', '/api/v1/pods', { headers: { authorization } });
      expectStatus(reply, 401, 'Unauthorized', 'Unauthorized');
    },
  );

  it('none: forbidden, but for health and version', async () => {
    const nobody = anonymously(admin);
    expectStatus(
      await ask(nobody, 'GET', '/api/v1/pods'),
      403,
      'Forbidden',
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
    );
    expect((await ask(nobody, 'GET', '/livez')).text).toBe('ok');
    expect((await ask(nobody, 'GET', '/version')).code).toBe(200);
  });
});

describe('crowds', () => {
  /** `CORACLE_IDLE_CONNECTIONS=10000` asks for more than a test run has time for. */
  const many = Number(process.env['CORACLE_IDLE_CONNECTIONS'] ?? 1000);

  it(`${many} idle connections leave room for others`, async () => {
    const idle: Socket[] = [];
    const open = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = connectTcp(admin.port, admin.host, () => resolve());
        socket.on('error', reject);
        idle.push(socket);
      });
    for (let i = 0; i < many; i += 500) await Promise.all(Array.from({ length: Math.min(500, many - i) }, open));
    const secure: TLSSocket[] = [];
    for (let i = 0; i < 100; i++) secure.push(await openTls(admin));
    await stillServes();
    expect((await ask(admin, 'POST', configMaps, { body: configMap('in-the-crowd') })).code).toBe(201);
    for (const socket of [...idle, ...secure]) socket.destroy();
    await stillServes();
  }, 120_000);

  it('streams opened and reset at once do no harm', async () => {
    const session = connectHttp2(cluster.url, { ca: admin.ca, cert: admin.cert, key: admin.key });
    session.on('error', () => undefined);
    for (let i = 0; i < 2000 && !session.destroyed; i++) {
      const stream = session.request({ ':path': '/api/v1/pods' });
      stream.on('error', () => undefined);
      stream.close(8);
    }
    await stillServes();
    session.destroy();
  });

  it('watchers who never read cost a bounded memory', async () => {
    const resident = (): number =>
      Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${cluster.process.pid}/status`, 'utf8'))?.[1]) * 1024;
    const watchers = await Promise.all(Array.from({ length: 20 }, () => openTls(admin)));
    for (const socket of watchers) {
      socket.pause();
      socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    await ask(admin, 'POST', configMaps, { body: configMap('loud') });
    const before = resident();
    const data = { text: 'x'.repeat(500_000) };
    for (let i = 0; i < 40; i++) {
      const body = configMap('loud', { data: { ...data, i: String(i) } });
      expect((await ask(admin, 'PUT', `${configMaps}/loud`, { body })).code).toBe(200);
    }
    // Kept for each of them, these 20 MB would be 400.
    expect(resident() - before).toBeLessThan(300e6);
    await stillServes();
    for (const socket of watchers) socket.destroy();
  }, 60_000);
});
