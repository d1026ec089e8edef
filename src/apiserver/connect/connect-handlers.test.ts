import { createServer, get as httpGet, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverDouble } from '../../../testing/server-double.ts';
import { endpoints, nodes, pods, services } from '../../api/generated/resources.ts';
import type { Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import type { ConnectHandler } from '../contracts.ts';
import { connectHandlers } from './connect-handlers.ts';
import { rewriteHtml } from './rewrite.ts';

const double = serverDouble();
const seen: string[] = [];
let kubelet: Server;
let front: Server;
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listen = (server: Server): Promise<void> => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const dial = (port: number) =>
  new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });

beforeAll(async () => {
  kubelet = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const path = request.url ?? '';
    if (path.includes('/waiting?')) {
      response.writeHead(400);
      response.end('container "waiting" in pod "web" is waiting to start: ContainerCreating');
    } else if (path.includes('/broken?')) {
      response.writeHead(500);
      response.end('no disk');
    } else if (path.startsWith('/page')) {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<a href="/rewriteme">test</a>');
    } else if (path.startsWith('/away')) {
      response.writeHead(302, { location: '/there' });
      response.end();
    } else {
      response.writeHead(200);
      response.write('one\n');
      setImmediate(() => response.end(`two ${request.headers['x-own'] ?? ''}\n`));
    }
  });
  kubelet.on('upgrade', (request, socket, head: Buffer) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'no credentials'}`);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n');
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  await listen(kubelet);
  const handlers = connectHandlers({
    kubelets: {
      async dial(node) {
        if (node === 'gone') throw new Error('dial tcp 10.0.0.9:10250: connect: connection refused');
        return { socket: await dial(portOf(kubelet)), host: `${node}:10250`, headers: { 'x-own': 'trusted' } };
      },
    },
    cluster: { connect: () => dial(portOf(kubelet)) },
  });
  const parse = (url: string) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const [, namespace, plural = '', name = '', subresource = '', rest = ''] =
      /^\/api\/v1\/(?:namespaces\/([^/]+)\/)?([^/]+)\/([^/]+)\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
    const resources: Record<string, Resource> = { pods, services, nodes };
    return {
      handler: handlers[`${plural}/${subresource}`] as ConnectHandler,
      parts: {
        resource: resources[plural]!,
        subresource,
        name,
        path: rest,
        query: searchParams,
        user: { name: 'alice', groups: [] },
        ...(namespace !== undefined && { namespace }),
      },
    };
  };
  front = createServer((request, response) => {
    const { handler, parts } = parse(request.url ?? '');
    handler({ request, response, ...parts }, double).catch((error: unknown) => {
      const known = error instanceof StatusError ? error : undefined;
      response.writeHead(known?.code ?? 500);
      response.end(known?.message ?? String(error));
    });
  });
  front.on('upgrade', (request, socket, head: Buffer) => {
    const { handler, parts } = parse(request.url ?? '');
    handler({ request, upgrade: { socket, head }, ...parts }, double).catch((error: unknown) =>
      socket.end(`HTTP/1.1 ${error instanceof StatusError ? error.code : 500} x\r\n\r\n${String(error)}`),
    );
  });
  await listen(front);
  const put = (name: string, spec: object) =>
    double.put(pods, {
      metadata: { name, namespace: 'ns' },
      spec,
      status: { podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }] },
    });
  put('web', { nodeName: 'n1', containers: [{ name: 'main', ports: [{ containerPort: 80 }] }] });
  put('two', { nodeName: 'n1', containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] });
  put('states', { nodeName: 'n1', containers: [{ name: 'waiting' }, { name: 'broken' }] });
  put('new', { containers: [{ name: 'main' }] });
  put('lost', { nodeName: 'gone', containers: [{ name: 'main' }] });
  double.put(services, { metadata: { name: 's', namespace: 'ns' }, spec: { ports: [{ name: 'http', port: 80 }] } });
  double.put(endpoints, {
    metadata: { name: 's', namespace: 'ns' },
    subsets: [
      {
        addresses: [{ ip: '10.1.0.1', targetRef: { kind: 'Pod', name: 'web', namespace: 'ns' } }],
        ports: [{ name: 'http', port: 8080 }],
      },
    ],
  });
});
afterAll(() => {
  front.close();
  kubelet.close();
  kubelet.closeAllConnections();
});

const get = (path: string): Promise<{ code: number; body: string; headers: IncomingMessage['headers'] }> =>
  new Promise((resolve, reject) => {
    httpGet({ port: portOf(front), path, host: '127.0.0.1', agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => {
        body += chunk;
      });
      answer.on('end', () => resolve({ code: answer.statusCode ?? 0, body, headers: answer.headers }));
    }).on('error', reject);
  });
const upgrade = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(portOf(front), '127.0.0.1', () =>
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello`,
      ),
    );
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk;
      if (got.includes('hello')) socket.end();
    });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
  });

describe('logs', () => {
  const log = '/api/v1/namespaces/ns/pods';
  it('stream from the kubelet', async () => {
    expect((await get(`${log}/web/log?tailLines=5&follow=true`)).body).toBe('one\ntwo trusted\n');
    expect(seen.at(-1)).toBe('GET /containerLogs/ns/web/main?follow=true&tailLines=5&stream=All');
    expect(await get(`${log}/new/log`)).toMatchObject({ code: 200, body: '' });
  });
  it.each([
    ['two/log', 400, 'a container name must be specified for pod two, choose one of: [i a b]'],
    ['web/log?container=x', 400, 'container x is not valid for pod web'],
    ['nope/log', 404, 'pods "nope" not found'],
    [
      'web/log?tailLines=-1',
      422,
      'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
    ['states/log?container=waiting', 400, 'container "waiting" in pod "web" is waiting to start: ContainerCreating'],
    [
      'states/log?container=broken',
      500,
      'an error on the server ("no disk") has prevented the request from succeeding ( pods/log states)',
    ],
    [
      'lost/log',
      500,
      'Get "https://gone/containerLogs/ns/lost/main?stream=All": dial tcp 10.0.0.9:10250: connect: connection refused',
    ],
  ])('%s is refused with %i', async (path, code, message) => {
    expect(await get(`${log}/${path}`)).toMatchObject({ code, body: message });
  });
});

describe('streams', () => {
  const pod = '/api/v1/namespaces/ns/pods';
  it('reach the kubelet byte for byte, without the client’s credentials', async () => {
    const got = await upgrade(`${pod}/web/exec?command=sh&command=-c&stdin=true&stdout=true&tty=true`);
    expect(got).toMatch(/^HTTP\/1.1 101 [\s\S]*hello$/);
    expect(seen.at(-1)).toBe('POST /exec/ns/web/main?input=1&output=1&tty=1&command=sh&command=-c no credentials');
    await upgrade(`${pod}/web/portforward?ports=80`);
    expect(seen.at(-1)).toBe('POST /portForward/ns/web?port=80 no credentials');
  });
  it('are refused with a reason', async () => {
    expect(await upgrade(`${pod}/new/exec?command=hello`)).toContain('pod new does not have a host assigned');
    expect(await upgrade(`${pod}/lost/attach?x=hello`)).toContain(
      'error dialing backend: dial tcp 10.0.0.9:10250: connect: connection refused',
    );
  });
});

describe('proxies', () => {
  it('lead pages and redirects back through themselves', async () => {
    const prefix = '/api/v1/namespaces/ns/pods/web:80/proxy';
    expect((await get(`${prefix}/page?x=1`)).body).toBe(`<a href="${prefix}/rewriteme">test</a>`);
    expect(seen.at(-1)).toBe('GET /page?x=1');
    expect((await get(`${prefix}/away`)).headers.location).toBe(`${prefix}/there`);
    expect(await get(prefix)).toMatchObject({ code: 301, headers: { location: `${prefix}/` } });
    expect((await get('/api/v1/namespaces/ns/services/http:s:http/proxy/page')).body).toContain(
      'services/http:s:http/proxy/rewriteme',
    );
    expect((await get('/api/v1/nodes/n1/proxy/metrics')).body).toContain('trusted');
  });
  it('say why there is nothing to reach', async () => {
    expect(await get('/api/v1/namespaces/ns/services/s:81/proxy/')).toMatchObject({
      code: 503,
      body: 'no service port 81 found for service "s"',
    });
    expect((await get('/api/v1/namespaces/ns/services/s:nope/proxy/')).body).toBe(
      'no endpoints available for service "s:nope"',
    );
  });
  it('leave alone what is no link of theirs', () => {
    const page = '<p title="/x">/x</p><img src="rel.png"><a href="https://other/x">y</a>';
    expect(rewriteHtml(page, '/p', 'host')).toBe(page);
    expect(rewriteHtml("<img alt='a>b' src=/x.png><a href='http://host/y?z#q'>", '/p', 'host')).toBe(
      '<img alt=\'a>b\' src="/p/x.png"><a href="/p/y?z#q">',
    );
  });
});
