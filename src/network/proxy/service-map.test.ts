import { describe, expect, it } from 'vitest';
import type { V1EndpointSlice, V1Service } from '../../api/generated/types.ts';
import { seededRandom } from '../../base/random.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { inCidr } from '../addresses.ts';
import { serviceResolver } from './resolve.ts';
import { serviceMap } from './service-map.ts';

const service = (spec: V1Service['spec'], name = 'web'): V1Service => ({
  metadata: { name, namespace: 'default' },
  spec: {
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10'],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    ...spec,
  },
});
type Endpoints = NonNullable<V1EndpointSlice['endpoints']>;
const slice = (endpoints: Endpoints, name = 'web-1'): V1EndpointSlice => ({
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
});
const source = { ip: '10.244.0.9', node: { name: 'n1', zone: 'z1' } };

function network(spec: V1Service['spec'], endpoints: Endpoints) {
  const map = serviceMap();
  map.setService(service(spec));
  map.setSlice(slice(endpoints));
  const clock = virtualClock();
  const resolver = serviceResolver({ map, clock, random: seededRandom(1), nodeIps: () => new Set(['192.168.0.1']) });
  const seen = (ip: string, port: number, times = 40) => {
    const found = new Set<string>();
    for (let i = 0; i < times; i++) {
      const it = resolver.resolve(ip, port, 'TCP', source);
      found.add(it?.kind === 'endpoint' ? `${it.ip}:${it.port}` : `${it?.kind}`);
    }
    return [...found].sort();
  };
  return { map, clock, resolver, seen };
}
const at = (ip: string, more: Partial<Endpoints[number]> = {}): Endpoints[number] => ({ addresses: [ip], ...more });

describe('services to endpoints', () => {
  it('spreads over the ready endpoints', () => {
    const { seen } = network({}, [at('10.0.0.1'), at('10.0.0.2'), at('10.0.0.3', { conditions: { ready: false } })]);
    expect(seen('10.96.0.10', 80)).toEqual(['10.0.0.1:8080', '10.0.0.2:8080']);
  });
  it('falls back to those that terminate but serve', () => {
    const { seen } = network({}, [
      at('10.0.0.1', { conditions: { ready: false, serving: true, terminating: true } }),
      at('10.0.0.2', { conditions: { ready: false, serving: false, terminating: true } }),
    ]);
    expect(seen('10.96.0.10', 80)).toEqual(['10.0.0.1:8080']);
  });
  it('takes ports and addresses from several slices', () => {
    const map = serviceMap();
    const two = [
      { name: 'a', port: 80, protocol: 'TCP' },
      { name: 'b', port: 81, protocol: 'TCP' },
    ];
    map.setService(service({ ports: two }));
    const own = (name: string, port: string, number: number, ip: string): V1EndpointSlice => ({
      ...slice([{ addresses: [ip], conditions: { ready: true } }], name),
      ports: [{ name: port, port: number, protocol: 'TCP' }],
    });
    for (const it of [
      own('1', 'a', 3000, '10.0.0.1'),
      own('2', 'b', 3001, '10.0.0.1'),
      own('3', 'b', 3002, '10.0.0.2'),
    ]) {
      map.setSlice(it);
    }
    const behind = (port: number) =>
      map.byAddress('10.96.0.10', 'TCP', port)?.endpoints.map((it) => `${it.ip}:${it.port}`);
    expect(behind(80)).toEqual(['10.0.0.1:3000']);
    expect(behind(81)).toEqual(['10.0.0.1:3001', '10.0.0.2:3002']);
  });
  it('refuses where nobody is behind, and knows what is no service', () => {
    const { seen } = network({}, []);
    expect(seen('10.96.0.10', 80)).toEqual(['reject']);
    expect(seen('10.96.0.11', 80)).toEqual(['undefined']);
    expect(seen('10.96.0.10', 81)).toEqual(['undefined']);
  });
  it('keeps a client with its endpoint until the affinity runs out', async () => {
    const { seen, clock } = network(
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
      [at('10.0.0.1'), at('10.0.0.2'), at('10.0.0.3')],
    );
    expect(seen('10.96.0.10', 80)).toHaveLength(1);
    const all = new Set<string>();
    for (let i = 0; i < 30; i++) {
      await clock.advance(61_000);
      for (const it of seen('10.96.0.10', 80, 1)) all.add(it);
    }
    expect(all.size).toBe(3);
  });
  it('honours the Local policies: on this node or not at all', () => {
    const endpoints = [at('10.0.0.1', { nodeName: 'n1' }), at('10.0.0.2', { nodeName: 'n2' })];
    expect(network({ internalTrafficPolicy: 'Local' }, endpoints).seen('10.96.0.10', 80)).toEqual(['10.0.0.1:8080']);
    expect(network({ internalTrafficPolicy: 'Local' }, endpoints.slice(1)).seen('10.96.0.10', 80)).toEqual(['drop']);
    const ports = [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }];
    const external = { type: 'NodePort', externalTrafficPolicy: 'Local', ports };
    expect(network(external, endpoints).seen('192.168.0.1', 30080)).toEqual(['10.0.0.1:8080']);
    expect(network(external, endpoints).seen('10.96.0.10', 80)).toHaveLength(2);
  });
  it('follows zone hints when every endpoint has them', () => {
    const hint = (zone: string) => ({ hints: { forZones: [{ name: zone }] } });
    const { seen } = network({}, [at('10.0.0.1', hint('z1')), at('10.0.0.2', hint('z2'))]);
    expect(seen('10.96.0.10', 80)).toEqual(['10.0.0.1:8080']);
    expect(network({}, [at('10.0.0.1', hint('z1')), at('10.0.0.2')]).seen('10.96.0.10', 80)).toHaveLength(2);
  });
  it('guards load balancer addresses by source ranges', () => {
    const map = serviceMap();
    map.setService({
      ...service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.1.0.0/16'] }),
      status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
    });
    map.setSlice(slice([at('10.0.0.1')]));
    const resolver = serviceResolver({ map, clock: virtualClock(), random: seededRandom(1), nodeIps: () => new Set() });
    expect(resolver.resolve('1.2.3.4', 80, 'TCP', source)?.kind).toBe('drop');
    expect(resolver.resolve('1.2.3.4', 80, 'TCP', { ...source, ip: '10.1.2.3' })?.kind).toBe('endpoint');
  });
  it('skips headless services and those of another proxy, and tells what changed', () => {
    const map = serviceMap();
    map.setService(service({ clusterIP: 'None', clusterIPs: ['None'] }, 'headless'));
    map.setService({
      ...service({}),
      metadata: { name: 'web', namespace: 'default', labels: { 'service.kubernetes.io/service-proxy-name': 'x' } },
    });
    expect(map.ports().size).toBe(0);
    map.setService(service({}));
    expect([...map.takeChanged()]).toEqual(['default/web:http/TCP/IPv4']);
    expect(map.takeChanged().size).toBe(0);
    map.setSlice(slice([at('10.0.0.1')]));
    expect([...map.takeChanged()]).toEqual(['default/web:http/TCP/IPv4']);
    map.removeService('default', 'web');
    expect([...map.takeChanged()]).toEqual(['default/web:http/TCP/IPv4']);
    expect(map.byAddress('10.96.0.10', 'TCP', 80)).toBeUndefined();
  });
  it.each([
    ['10.1.2.3', '10.1.0.0/16', true],
    ['10.2.0.1', '10.1.0.0/16', false],
    ['fd00::1', 'fd00::/8', true],
    ['10.0.0.1', '0.0.0.0/0', true],
  ])('%s in %s is %s', (ip, cidr, expected) => expect(inCidr(ip, cidr)).toBe(expected));
});
