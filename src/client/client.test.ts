import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../testing/test-server.ts';
import { configmaps, events, leases, pods } from '../api/generated/resources.ts';
import type { V1ConfigMap, V1Pod } from '../api/generated/types.ts';
import type { WatchEvent } from '../api/handler.ts';
import type { Live } from '../api/resource.ts';
import { expired, StatusError } from '../api/status.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import type { Client } from './client.ts';
import { createCorrelator } from './event-correlator.ts';
import { httpsClient, jsonLines, pathOf } from './https-client.ts';
import { inProcessClient } from './in-process-client.ts';
import { createInformers } from './informers.ts';
import { clientConfig, KubeconfigError, loadKubeconfig } from './kubeconfig.ts';
import { runWhenLeader } from './leader-election.ts';
import { createRecorder } from './recorder.ts';

const namespace = 'default';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const server = async (): Promise<{ server: TestServer; client: Client }> => {
  const made = await createTestServer();
  cleanups.push(() => made.close());
  return { server: made, client: inProcessClient({ handler: made.handler, user: made.user, userAgent: 'test/1' }) };
};
const until = async <T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> => {
  const deadline = systemClock.now() + 3000;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (systemClock.now() > deadline) throw new Error('it never happened');
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const signal = (): AbortSignal => {
  const controller = new AbortController();
  cleanups.push(() => controller.abort());
  return controller.signal;
};

describe('the client in process', () => {
  it('gives back the stored, frozen object itself', async () => {
    const { client } = await server();
    const made = await client.create(configmaps, { metadata: { name: 'a', namespace }, data: { k: 'v' } });
    expect(Object.isFrozen(made.data)).toBe(true);
    expect(made.metadata.managedFields?.[0]?.manager).toBe('test');
    await expect(client.get(configmaps, 'b', { namespace })).rejects.toMatchObject({
      message: 'configmaps "b" not found',
      reason: 'NotFound',
    });
  });
});

describe('an informer', () => {
  it('follows its resource, keeps indexes, and tells subscribers in order', async () => {
    const { client } = await server();
    const informers = createInformers({ client, clock: systemClock, log: silentLogger, signal: signal() });
    await client.create(configmaps, { metadata: { name: 'a', namespace, labels: { team: 'x' } } });
    const informer = informers.informer(configmaps);
    expect(informers.informer(configmaps)).toBe(informer);
    informer.addIndex('team', (it) => (it.metadata.labels?.['team'] ? [it.metadata.labels['team']] : []));
    await informer.whenSynced();
    const seen: string[] = [];
    informer.subscribe({
      add: (it) => seen.push(`+${it.metadata.name}`),
      update: (it, old) => seen.push(`~${it.metadata.name}:${old.metadata.labels?.['team']}`),
      remove: (it) => seen.push(`-${it.metadata.name}`),
    });
    await client.patch(
      configmaps,
      'a',
      { metadata: { labels: { team: 'y' } } },
      { namespace, type: 'application/merge-patch+json' },
    );
    await client.create(configmaps, { metadata: { name: 'b', namespace } });
    await client.delete(configmaps, 'a', { namespace });
    await until(() => seen.length === 4);
    expect(seen).toEqual(['+a', '~a:x', '+b', '-a']);
    expect(informer.byIndex('team', 'y')).toEqual([]);
    expect(informer.list().map((it) => it.metadata.name)).toEqual(['b']);
  });

  it('lists again when history no longer reaches back, and tells what it missed', async () => {
    const item = (name: string, resourceVersion: string): Live<V1ConfigMap> => ({
      metadata: { name, namespace, uid: name, resourceVersion, creationTimestamp: '' },
    });
    const lists = [
      [item('a', '1'), item('b', '2')],
      [item('b', '5'), item('c', '6')],
    ];
    const asked: (string | undefined)[] = [];
    let watches = 0;
    async function* stream(): AsyncGenerator<readonly WatchEvent[]> {
      watches++;
      if (watches === 1) yield [{ type: 'ERROR', error: expired('too old resource version') }];
      await new Promise(() => undefined);
    }
    const client = {
      async list(_: unknown, options: { resourceVersion?: string }) {
        asked.push(options.resourceVersion);
        return { metadata: { resourceVersion: String(asked.length * 10) }, items: lists[asked.length - 1] ?? [] };
      },
      watch: () => Promise.resolve(stream()),
    } as unknown as Client;
    const informer = createInformers({ client, clock: systemClock, log: silentLogger, signal: signal() }).informer(
      configmaps,
    );
    const seen: string[] = [];
    informer.subscribe({
      add: (it) => seen.push(`+${it.metadata.name}`),
      update: (it) => seen.push(`~${it.metadata.name}`),
      remove: (it) => seen.push(`-${it.metadata.name}`),
    });
    await until(() => watches === 2);
    expect(seen).toEqual(['+a', '+b', '-a', '~b', '+c']);
    expect(asked).toEqual(['0', '']);
  });
});

describe('the event recorder', () => {
  const pod: V1Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace, uid: 'u' } };
  it('writes core events and counts repeats on the same object', async () => {
    const { client } = await server();
    const recorder = createRecorder({
      client,
      component: 'kubelet',
      host: 'n1',
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
    });
    for (let i = 0; i < 3; i++)
      recorder.event(pod, 'Warning', 'BackOff', 'Back-off restarting', { fieldPath: 'spec.containers{c}' });
    await recorder.flush();
    const { items } = await client.list(events, { namespace });
    expect(items).toHaveLength(1);
    expect(items[0]?.metadata.name).toMatch(/^web\.[0-9a-f]{16}$/);
    expect(items[0]).toMatchObject({
      count: 3,
      involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{c}' },
      source: { component: 'kubelet', host: 'n1' },
      reportingComponent: 'kubelet',
      reportingInstance: 'n1',
    });
  });

  it('combines similar events and stops floods', () => {
    const clock = virtualClock();
    const correlator = createCorrelator(clock);
    const event = (message: string) => ({
      metadata: { name: `e-${message}`, namespace },
      involvedObject: { kind: 'Pod', name: 'web', namespace, uid: 'u' },
      source: { component: 'x' },
      reason: 'R',
      type: 'Normal',
      message,
      count: 1,
      firstTimestamp: '',
      lastTimestamp: '',
    });
    const results = Array.from({ length: 30 }, (_, i) => correlator.correlate(event(`m${i}`)));
    expect(results[8]?.event.message).toBe('m8');
    expect(results[9]?.event.message).toBe('(combined from similar events): m9');
    expect(results[10]?.patch).toMatchObject({ count: 2, message: '(combined from similar events): m10' });
    expect(results.filter((it) => it === undefined)).toHaveLength(5);
  });
});

describe('leader election', () => {
  it('has one leader, and the next takes over when it ends', async () => {
    const { client } = await server();
    const common = {
      client,
      namespace,
      name: 'lock',
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      retryPeriod: 5,
    };
    const order: string[] = [];
    const first = new AbortController();
    let leads: () => void = () => undefined;
    const leading = new Promise<void>((resolve) => {
      leads = resolve;
    });
    const one = runWhenLeader({ ...common, identity: 'one' }, first.signal, async (until) => {
      order.push('one');
      leads();
      await new Promise<void>((resolve) => until.addEventListener('abort', () => resolve()));
    });
    await leading;
    const two = runWhenLeader({ ...common, identity: 'two' }, signal(), async () => {
      order.push('two');
    });
    expect((await client.get(leases, 'lock', { namespace })).spec?.holderIdentity).toBe('one');
    first.abort(new Error('enough'));
    await Promise.all([one, two]);
    expect(order).toEqual(['one', 'two']);
    expect((await client.get(leases, 'lock', { namespace })).spec).toMatchObject({ holderIdentity: '' });
  });
});

describe('the client over HTTP', () => {
  const serve = async (answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) => {
    const http = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => answer(request, response, body));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const client = httpsClient({
      server: `http://127.0.0.1:${(http.address() as AddressInfo).port}/prefix`,
      token: async (fresh) => (fresh ? 'new' : 'old'),
      userAgent: 'test/1',
    });
    cleanups.push(() => {
      client.close();
      http.closeAllConnections();
      http.close();
    });
    return client;
  };
  it('asks the right paths, and takes a fresh token when the old one is refused', async () => {
    const seen: string[] = [];
    const client = await serve((request, response, body) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`);
      if (request.headers.authorization === 'Bearer old') response.writeHead(401).end('{}');
      else response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] }));
    });
    const list = await client.list(pods, { namespace, labelSelector: 'a=b', limit: 5 });
    expect(seen.at(-1)).toBe('GET /prefix/api/v1/namespaces/default/pods?labelSelector=a%3Db&limit=5 Bearer new ');
    expect(list.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    expect(Object.isFrozen(list.items[0]?.metadata)).toBe(true);
  });
  it('throws the server\u2019s Status', async () => {
    const client = await serve((_, response) => {
      response.writeHead(409);
      response.end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Conflict', message: 'no', code: 409 }));
    });
    const error = await client.delete(pods, 'a', { namespace }).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(StatusError);
    expect(error).toMatchObject({ reason: 'Conflict', code: 409 });
  });
  it('reads a watch event by event', async () => {
    const client = await serve((_, response) => {
      response.write('{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}\n{"type":"BOOK');
      response.write(
        'MARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}\n',
      );
      response.end('{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"gone"}}\n');
    });
    const all: WatchEvent[] = [];
    for await (const batch of await client.watch(pods, { namespace })) all.push(...batch);
    expect(all.map((it) => it.type)).toEqual(['ADDED', 'BOOKMARK', 'ERROR']);
    expect(all[1]).toEqual({ type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true });
  });
  it.each([
    [pathOf(pods, 'ns', 'a', 'log'), '/api/v1/namespaces/ns/pods/a/log'],
    [pathOf(leases, undefined), '/apis/coordination.k8s.io/v1/leases'],
  ])('%s', (path, wanted) => {
    expect(path).toBe(wanted);
  });
  it('splits lines over any chunks', async () => {
    const chunks = ['{"a":', '1}\n{"b"', ':2}\n\n'].map((it) => Buffer.from(it));
    const lines: string[] = [];
    for await (const some of jsonLines(
      (async function* () {
        yield* chunks;
      })(),
    ))
      lines.push(...some);
    expect(lines).toEqual(['{"a":1}', '{"b":2}']);
  });
});

describe('a kubeconfig', () => {
  const write = async (text: string, name = 'config'): Promise<string> => {
    const path = join(await mkdtemp(join(tmpdir(), 'kubeconfig-')), name);
    await writeFile(path, text);
    return path;
  };
  const config = `
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u, namespace: team}}
clusters:
- {name: c, cluster: {server: 'https://example:6443', certificate-authority-data: Y2E=}}
users:
- {name: u, user: {token: secret}}
`;
  it('is merged from its files, the first value winning', async () => {
    const second = await write(
      'current-context: other\nusers:\n- {name: u, user: {token: x}}\n- {name: v, user: {}}\n',
    );
    const env = { KUBECONFIG: `${await write(config)}:${second}:/nowhere` };
    const loaded = await loadKubeconfig({ env });
    expect(loaded.currentContext).toBe('main');
    expect([...loaded.users.keys()]).toEqual(['u', 'v']);
    const chosen = await clientConfig(loaded, { clock: systemClock });
    expect(chosen).toMatchObject({ server: 'https://example:6443', ca: 'ca', namespace: 'team' });
    expect(await chosen.token?.(false)).toBe('secret');
  });
  it('runs credential plugins', async () => {
    const script = `process.stdout.write(JSON.stringify({status:{token:'from-plugin'}}))`;
    const path = await write(
      config.replace(
        '{token: secret}',
        `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ${JSON.stringify(process.execPath)}, args: ['-e', ${JSON.stringify(script)}]}}`,
      ),
    );
    const chosen = await clientConfig(await loadKubeconfig({ path }), { clock: systemClock });
    expect(await chosen.token?.(false)).toBe('from-plugin');
  });
  it('says what is wrong', async () => {
    const loaded = await loadKubeconfig({ path: await write(config) });
    await expect(clientConfig(loaded, { clock: systemClock, context: 'none' })).rejects.toThrow(
      'context "none" does not exist',
    );
    await expect(loadKubeconfig({ path: '/nowhere' })).rejects.toThrow(KubeconfigError);
  });
});
