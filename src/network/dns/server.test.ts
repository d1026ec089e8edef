import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { V1EndpointSlice } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import { startLifetime } from '../../base/lifetime.ts';
import { silentLogger } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { buildChain } from './chain.ts';
import { defaultCorefile, parseCorefile } from './corefile.ts';
import type { DnsAnswer, DnsQuery } from './records.ts';
import { startDnsServer } from './server.ts';
import { readAnswer, writeQuery } from './wire.ts';
import { zoneDataOf } from './zone-data.ts';

const many: V1EndpointSlice = {
  metadata: { name: 'many-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'many' } },
  addressType: 'IPv4',
  ports: [],
  endpoints: Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.1.0.${i}`] })),
};
const data = zoneDataOf({
  namespaces: ['default'],
  services: [
    { metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.96.0.10' } },
    { metadata: { name: 'many', namespace: 'default' }, spec: { clusterIP: 'None' } },
    {
      metadata: { name: 'out', namespace: 'default' },
      spec: { type: 'ExternalName', externalName: 'example.com' },
    },
  ],
  slices: [many],
});
const asked: string[] = [];
const upstream = async (_server: unknown, { name, type }: DnsQuery): Promise<DnsAnswer> => {
  asked.push(`${name} ${type}`);
  const found = name === 'example.com' && type === 'A';
  return {
    rcode: found ? 'NOERROR' : 'NXDOMAIN',
    authoritative: false,
    answers: found ? [{ name, type: 'A', ttl: 60, data: '93.184.216.34' }] : [],
    authorities: [],
    additionals: [],
  };
};
const readFile = async (): Promise<string> => 'nameserver 192.0.2.1\n';
const lifetimeOf = () =>
  startLifetime((error) => {
    throw error;
  });

describe('startDnsServer', () => {
  const start = async () => {
    const lifetime = lifetimeOf();
    const server = await startDnsServer({
      corefile: defaultCorefile(),
      data,
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      lifetime,
      port: 0,
      readFile,
      exchange: upstream,
    });
    return { server, lifetime, port: server.addresses[0]?.port ?? 0 };
  };
  const udp = (port: number, message: Buffer): Promise<Buffer> =>
    new Promise((resolve) => {
      const socket = createSocket('udp4');
      socket.on('message', (reply) => {
        socket.close();
        resolve(reply);
      });
      socket.send(message, port, '127.0.0.1');
    });

  it('answers over UDP, cuts what is too long, and gives it whole over TCP', async () => {
    const { lifetime, port } = await start();
    const web = readAnswer(await udp(port, writeQuery(7, { name: 'web.default.svc.cluster.local', type: 'A' })));
    expect([web.id, web.rcode, web.answers[0]]).toEqual([
      7,
      'NOERROR',
      { name: 'web.default.svc.cluster.local', type: 'A', ttl: 30, data: '10.96.0.10' },
    ]);
    const question = writeQuery(8, { name: 'many.default.svc.cluster.local', type: 'A' });
    const cut = readAnswer(await udp(port, question));
    expect(cut.truncated).toBe(true);
    const whole = await new Promise<Buffer>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const chunks: Buffer[] = [];
      const length = Buffer.alloc(2);
      length.writeUInt16BE(question.length);
      socket.write(Buffer.concat([length, question]));
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        const all = Buffer.concat(chunks);
        if (all.length >= all.readUInt16BE(0) + 2) {
          socket.destroy();
          resolve(all.subarray(2));
        }
      });
    });
    expect(readAnswer(whole).answers).toHaveLength(100);
    expect((await udp(port, Buffer.from('0102ffff0001000000000000', 'hex'))).readUInt16BE(2) & 0xf).toBe(1);
    await lifetime.end();
  });

  it('forwards other names, follows ExternalName, and counts', async () => {
    const { server, lifetime } = await start();
    expect((await server.ask('example.com', 'A')).answers).toHaveLength(1);
    expect((await server.ask('out.default.svc.cluster.local', 'A')).answers.map((it) => it.data)).toEqual([
      'example.com',
      '93.184.216.34',
    ]);
    expect((await server.ask('nope.example', 'A')).rcode).toBe('NXDOMAIN');
    expect(server.metrics()).toContain('coredns_cache_misses_total');
    await lifetime.end();
  });
});

describe('Corefile', () => {
  const chain = async (text: string, clock = virtualClock()) => {
    const [block] = parseCorefile(text);
    const context = { clock, random: seededRandom(1), log: silentLogger, data, readFile, count: () => undefined };
    const handler = await buildChain(block!, { ...context, exchange: upstream });
    return async (name: string, type = 'A') => {
      const reply = await handler({ name, type, client: 'test' });
      return reply.answers.length > 0 ? reply.answers.map((it) => String(it.data)).join(' ') : reply.rcode;
    };
  };

  it('reads zones, ports, quotes and comments', () => {
    const blocks = parseCorefile('# names\n.:5353 example.org {\n  hosts { # own\n    10.0.0.1 "a.example"\n  }\n}\n');
    expect(blocks.map((it) => [it.zones, it.port])).toEqual([
      [[''], 5353],
      [['example.org'], 53],
    ]);
    expect(blocks[0]?.plugins[0]?.body[0]).toMatchObject({ name: '10.0.0.1', args: ['a.example'], line: 4 });
  });

  it.each([
    ['. {\n  etcd\n}', 'Corefile:2: plugin etcd is not supported'],
    ['. {\n  errors', 'Corefile:1: a { is not closed'],
    ['tls://. {\n}', 'Corefile:1: tls://.: only plain DNS is served'],
    ['. {\n forward . tls://1.1.1.1\n}', 'Corefile:2: forward: tls://1.1.1.1: only plain DNS is supported'],
    [
      '. {\n kubernetes cluster.local {\n  endpoint http://x\n }\n}',
      'Corefile:3: kubernetes: endpoint is not supported',
    ],
    ['. {\n kubernetes cluster.local {\n  pods maybe\n }\n}', 'Corefile:3: kubernetes: pods maybe is not one of'],
  ])('says what is wrong with %j', async (text, message) => {
    await expect((async () => chain(text))()).rejects.toThrow(message);
  });

  it('serves hosts, rewrites names, falls through', async () => {
    const ask = await chain(
      '. {\n hosts {\n  10.9.9.9 db.corp\n  fallthrough\n }\n rewrite name suffix .corp.test. .default.svc.cluster.local.\n kubernetes cluster.local\n forward . 192.0.2.1\n}',
    );
    expect(await ask('db.corp')).toBe('10.9.9.9');
    expect(await ask('web.corp.test')).toBe('10.96.0.10');
    expect(await ask('example.com')).toBe('93.184.216.34');
  });

  it('keeps answers until their time is over', async () => {
    const clock = virtualClock();
    const ask = await chain('. {\n cache 30\n forward . 192.0.2.1\n}', clock);
    asked.length = 0;
    await ask('example.com');
    await ask('EXAMPLE.com.');
    expect(asked).toHaveLength(1);
    await clock.advance(31_000);
    await ask('example.com');
    expect(asked).toHaveLength(2);
  });
});
