import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { pods } from '../../api/generated/resources.ts';
import type { KubeObject } from '../../api/resource.ts';
import { noSpans } from '../../api/trace.ts';
import { systemClock } from '../../base/clock.ts';
import { duplexPair } from '../../base/duplex-pair.ts';
import { type Lifetime, startLifetime } from '../../base/lifetime.ts';
import { silentLogger } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { type SpdySession, type SpdyStream, spdySession } from '../../base/spdy/session.ts';
import { createInformers } from '../../client/informers.ts';
import { createSimNodeFiles } from '../../runtime/sim/vfs/sim-node-files.ts';
import { type KubeletOptions, startKubelet } from '../kubelet.ts';
import { fakeApi } from '../testing/fake-api.ts';
import { type FakeRuntime, fakeRuntime } from '../testing/fake-runtime.ts';
import { tunnelProtocol, websocketDuplex } from './websocket-streams.ts';

let life: Lifetime;
let base: string;
let port: number;
let kubeletServer: Server;
let runtime: FakeRuntime;
let files: ReturnType<typeof createSimNodeFiles>;
const logLines = [
  '2026-01-01T00:00:00.1Z stdout F one',
  '2026-01-01T00:00:01.2Z stderr F two',
  '2026-01-01T00:00:02.3Z stdout P thr',
  '2026-01-01T00:00:02.4Z stdout F ee',
  '',
].join('\n');

const start = async (auth?: KubeletOptions['auth']) => {
  life = startLifetime(() => undefined);
  const api = fakeApi(systemClock);
  files = createSimNodeFiles(() => systemClock.now(), 2 ** 40);
  runtime = fakeRuntime({ clock: systemClock, files: files.files, nodeName: 'n1' });
  runtime.registry.set('busybox:1', { sizeBytes: 1 });
  runtime.behaviours.set('app', { log: logLines });
  const informers = createInformers({ client: api.client, clock: systemClock, log: silentLogger, signal: life.signal });
  const kubelet = await startKubelet({
    nodeName: 'n1',
    runtime,
    client: api.client,
    informers,
    events: { event: () => undefined, flush: () => Promise.resolve() },
    clock: systemClock,
    random: seededRandom(1),
    log: silentLogger,
    spans: noSpans,
    clusterDns: [],
    lifetime: life,
    ...(auth && { auth }),
  });
  api.put(pods, {
    metadata: { name: 'web', namespace: 'ns', uid: 'u1' },
    spec: {
      nodeName: 'n1',
      enableServiceLinks: false,
      restartPolicy: 'Always',
      containers: [{ name: 'app', image: 'busybox:1' }],
    },
    status: { phase: 'Pending' },
  } as KubeObject);
  for (let i = 0; api.get(pods, 'ns', 'web')?.status?.phase !== 'Running'; i++) {
    if (i > 1000) throw new Error('the pod did not come up');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise<void>((resolve) => kubelet.server.listen(0, '127.0.0.1', resolve));
  kubeletServer = kubelet.server;
  ({ port } = kubelet.server.address() as AddressInfo);
  base = `http://127.0.0.1:${port}`;
  return { api, kubelet };
};
beforeEach(async () => {
  await start();
});
afterEach(() => life.end());

const text = async (stream: AsyncIterable<unknown>): Promise<string> => {
  let out = '';
  for await (const chunk of stream) out += String(chunk);
  return out;
};

/** Upgrades to SPDY; what the server answered is in `answer`. */
const spdy = (
  path: string,
  protocols: string,
  through?: Duplex,
): Promise<{ answer: string; connection: SpdySession }> =>
  new Promise((resolve, reject) => {
    const socket: Duplex = through ?? connect(port, '127.0.0.1');
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: k\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocols}\r\n\r\n`,
    );
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      socket.pause();
      socket.unshift(head.subarray(end + 4));
      resolve({
        answer: head.toString('latin1', 0, end),
        connection: spdySession(socket, 'client', () => undefined),
      });
    };
    socket.on('data', onData);
    socket.once('error', reject);
  });

const frames = (path: string, protocol: string | string[]) =>
  new Promise<{ socket: WebSocket; channel: (n: number) => string; closed: Promise<void> }>((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol);
    const got = new Map<number, string>();
    socket.on('message', (data: Buffer) => {
      const base64 = socket.protocol.includes('base64');
      const n = base64 ? (data[0] ?? 0) - 48 : (data[0] ?? 0);
      const body = base64 ? Buffer.from(data.toString('latin1', 1), 'base64') : data.subarray(1);
      got.set(n, (got.get(n) ?? '') + body.toString('latin1'));
    });
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    socket.once('open', () => resolve({ socket, channel: (n) => got.get(n) ?? '', closed }));
    socket.once('error', reject);
  });

describe('logs', () => {
  const cases: [string, string][] = [
    ['', 'one\ntwo\nthree\n'],
    ['?tailLines=1', 'ee\n'],
    ['?tailLines=0', ''],
    ['?timestamps=true&tailLines=3', '2026-01-01T00:00:01.200000000Z two\n2026-01-01T00:00:02.300000000Z three\n'],
    ['?sinceTime=2026-01-01T00:00:01Z', 'two\nthree\n'],
    ['?limitBytes=5', 'one\nt'],
    ['?stream=Stderr', 'two\n'],
  ];
  it.each(cases)('%s', async (query, expected) => {
    expect(await (await fetch(`${base}/containerLogs/ns/web/app${query}`)).text()).toBe(expected);
  });
  it('refuses as upstream does', async () => {
    const answer = async (path: string) => {
      const response = await fetch(base + path);
      return [response.status, await response.text()];
    };
    expect(await answer('/containerLogs/ns/gone/app')).toEqual([404, 'pod "gone" does not exist']);
    expect(await answer('/containerLogs/ns/web/x')).toEqual([404, 'container "x" not found in pod "web"']);
    expect(await answer('/containerLogs/ns/web/app?previous=true')).toEqual([
      400,
      'previous terminated container "app" in pod "web" not found',
    ]);
    expect(await answer('/containerLogs/ns/web/app?tailLines=-1')).toEqual([422, '{"message": "Invalid request."}']);
    expect(await answer('/nothing')).toEqual([404, '404 page not found\n']);
  });
  it('follows until the container ends', async () => {
    const response = await fetch(`${base}/containerLogs/ns/web/app?follow=true&tailLines=1`);
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('ee\n');
    await files.files.append('/var/log/pods/ns_web_u1/app/0.log', '2026-01-01T00:00:03Z stdout F more\n');
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('more\n');
    runtime.exit('app', 0);
    expect((await reader.read()).done).toBe(true);
  });
});

describe('exec over SPDY', () => {
  const open = async (connection: SpdySession, ...types: string[]): Promise<Record<string, SpdyStream>> => {
    const streams: Record<string, SpdyStream> = {};
    for (const it of types) streams[it] = await connection.open({ streamtype: it });
    return streams;
  };

  it('streams both ways and ends with a status', async () => {
    const { answer, connection } = await spdy(
      '/exec/ns/web/app?command=cat&input=1&output=1&error=1',
      'v4.channel.k8s.io,v3.channel.k8s.io',
    );
    expect(answer).toMatch(/^HTTP\/1.1 101 .*X-Stream-Protocol-Version: v4.channel.k8s.io/s);
    const { error, stdin, stdout } = await open(connection, 'error', 'stdin', 'stdout', 'stderr');
    stdin!.end('x'.repeat(200_000));
    const [out, status] = await Promise.all([text(stdout!), text(error!)]);
    expect(out.length).toBe(200_000);
    expect(JSON.parse(status)).toEqual({ metadata: {}, status: 'Success' });
  });
  it('tells the exit code', async () => {
    const { connection } = await spdy(
      '/exec/ns/web/app?command=sh&command=exit&command=3&output=1',
      'v4.channel.k8s.io',
    );
    const { error, stdout } = await open(connection, 'error', 'stdout');
    const [out, status] = await Promise.all([text(stdout!), text(error!)]);
    expect(out).toBe('sh exit 3\n');
    expect(JSON.parse(status)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
  });
  it('works in process, without a network', async () => {
    const [near, far] = duplexPair();
    kubeletServer.emit('connection', far);
    const { connection } = await spdy('/exec/ns/web/app?command=hi&output=1', 'v4.channel.k8s.io', near);
    const { error, stdout } = await open(connection, 'error', 'stdout');
    const [out, status] = await Promise.all([text(stdout!), text(error!)]);
    expect([out, JSON.parse(status).status]).toEqual(['hi\n', 'Success']);
  });
  it('refuses protocols it does not speak', async () => {
    expect((await spdy('/exec/ns/web/app?command=a&output=1', 'v9.channel.k8s.io')).answer).toMatch(/^HTTP\/1.1 403/);
    expect((await spdy('/exec/ns/web/nope?command=a&output=1', 'v4.channel.k8s.io')).answer).toMatch(/^HTTP\/1.1 404/);
  });
});

describe('exec over WebSocket', () => {
  it.each(['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'])('%s', async (protocol) => {
    const { socket, channel, closed } = await frames(
      '/exec/ns/web/app?command=exit&command=2&output=1&error=1',
      protocol,
    );
    await closed;
    expect(socket.protocol).toBe(protocol);
    expect(channel(1)).toBe('exit 2\n');
    expect(JSON.parse(channel(3))).toMatchObject({ reason: 'NonZeroExitCode' });
  });
  it('v5 closes stdin, and sizes arrive', async () => {
    const cat = await frames('/exec/ns/web/app?command=cat&input=1&output=1', 'v5.channel.k8s.io');
    cat.socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('hello')]));
    cat.socket.send(Buffer.from([255, 0]));
    await cat.closed;
    expect(cat.channel(1)).toBe('hello');
    expect(JSON.parse(cat.channel(3)).status).toBe('Success');
    const much = await frames('/exec/ns/web/app?command=cat&input=1&output=1', 'v5.channel.k8s.io');
    const piece = Buffer.concat([Buffer.from([0]), Buffer.alloc(30_000)]);
    for (let i = 0; i < 100; i++) much.socket.send(piece);
    much.socket.send(Buffer.from([255, 0]));
    await much.closed;
    expect(much.channel(1).length).toBe(3_000_000);
  });
});

describe('port-forward', () => {
  const check = async (connection: SpdySession) => {
    const error = await connection.open({ streamtype: 'error', port: '80', requestid: '0' });
    error.end();
    const data = await connection.open({ streamtype: 'data', port: '80', requestid: '0' });
    data.end('ping');
    expect(await text(data)).toBe('ping');
    expect(await text(error)).toBe('');
    const bad = await connection.open({ streamtype: 'error', port: '81', requestid: '1' });
    bad.end();
    await connection.open({ streamtype: 'data', port: '81', requestid: '1' });
    expect(await text(bad)).toMatch(/^error forwarding port 81 to pod .*: failed to connect to localhost:81/);
    connection.close();
  };
  it('over SPDY', async () => {
    const { answer, connection } = await spdy('/portForward/ns/web', 'portforward.k8s.io');
    expect(answer).toContain('X-Stream-Protocol-Version: portforward.k8s.io');
    await check(connection);
  });
  it('over a WebSocket tunnel', async () => {
    const tunnel = await new Promise<WebSocket>((resolve, reject) => {
      // `ws` refuses the protocol's name, as the server's copy does: it goes in as a plain header.
      const socket = new WebSocket(`ws://127.0.0.1:${port}/portForward/ns/web`, {
        headers: { 'Sec-WebSocket-Protocol': tunnelProtocol },
      });
      socket.once('upgrade', (response) => {
        expect(response.headers['sec-websocket-protocol']).toBe(tunnelProtocol);
        delete response.headers['sec-websocket-protocol'];
      });
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
    });
    await check(spdySession(websocketDuplex(tunnel), 'client', () => undefined));
  });
  it('over plain WebSocket channels', async () => {
    const { socket, channel } = await frames('/portForward/ns/web?port=80&port=81', 'v4.channel.k8s.io');
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('ping')]));
    await expect.poll(() => channel(0)).toBe('\u0050\u0000ping');
    expect(channel(1)).toBe('\u0050\u0000');
    expect(channel(3).slice(2)).toMatch(/^error forwarding port 81/);
    socket.close();
  });
});

describe('the rest of the server', () => {
  it('lists pods and measures', async () => {
    const list = (await (await fetch(`${base}/pods`)).json()) as { items: { metadata: { name: string } }[] };
    expect(list.items.map((it) => it.metadata.name)).toEqual(['web']);
    expect(await (await fetch(`${base}/healthz`)).text()).toBe('ok');
    expect(await (await fetch(`${base}/metrics/resource`)).text()).toContain(
      'node_memory_working_set_bytes 1073741824 ',
    );
    expect(await (await fetch(`${base}/stats/summary`)).json()).toMatchObject({ node: { nodeName: 'n1' } });
  });
  it('asks who is there', async () => {
    await life.end();
    await start({
      authenticate: async (request) =>
        request.headers.authorization ? { name: String(request.headers.authorization), groups: [] } : undefined,
      authorize: async (user, verb, subresource) => user.name === 'admin' && verb === 'get' && subresource === 'pods',
    });
    expect((await fetch(`${base}/pods`)).status).toBe(401);
    expect((await fetch(`${base}/pods`, { headers: { authorization: 'admin' } })).status).toBe(200);
    const refused = await fetch(`${base}/containerLogs/ns/web/app`, { headers: { authorization: 'admin' } });
    expect([refused.status, await refused.text()]).toEqual([
      403,
      'Forbidden (user=admin, verb=get, resource=nodes, subresource(s)=[proxy])',
    ]);
  });
});
