import { describe, expect, it } from 'vitest';
import type { V1EndpointSlice, V1Service } from '../../api/generated/types.ts';
import { answer, defaultZone } from './cluster-zone.ts';
import { failure } from './records.ts';
import { resolveName } from './resolve-name.ts';
import { zoneDataOf } from './zone-data.ts';

const service = (name: string, spec: V1Service['spec']): V1Service => ({
  metadata: { name, namespace: 'default' },
  ...(spec && { spec }),
});
const slice = (name: string, endpoints: V1EndpointSlice['endpoints']): V1EndpointSlice => ({
  metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  ...(endpoints && { endpoints }),
});
const data = zoneDataOf({
  namespaces: ['default', 'other'],
  services: [
    service('web', {
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10', 'fd00::a'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    }),
    service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] }),
    service('empty', { clusterIP: 'None' }),
    service('out', { type: 'ExternalName', externalName: 'example.com' }),
    service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
  ],
  slices: [
    slice('db', [
      { addresses: ['10.244.0.5'], hostname: 'db-0' },
      { addresses: ['10.244.0.6'], hostname: 'db-1' },
      { addresses: ['10.244.0.7'] },
      { addresses: ['10.244.0.8'], conditions: { ready: false } },
    ]),
  ],
});
const ask = (name: string, type: string) => answer({ name, type }, data, defaultZone);
const show = (name: string, type: string): string => {
  const found = ask(name, type);
  if (!found) return 'not ours';
  const list = found.answers.map((it) =>
    it.type === 'SRV' ? `${it.data.port} ${it.data.target}` : it.type === 'SOA' ? 'soa' : String(it.data),
  );
  const authority = found.authorities.map((it) => it.type).join();
  return list.length > 0 ? list.join(' ') : `${found.rcode} ${authority}`;
};

describe('cluster names', () => {
  it.each([
    ['web.default.svc.cluster.local', 'A', '10.96.0.10'],
    ['WEB.Default.svc.cluster.local.', 'A', '10.96.0.10'],
    ['web.default.svc.cluster.local', 'AAAA', 'fd00::a'],
    ['web.default.svc.cluster.local', 'MX', 'NOERROR SOA'],
    ['_http._tcp.web.default.svc.cluster.local', 'SRV', '80 web.default.svc.cluster.local'],
    ['_nope._tcp.web.default.svc.cluster.local', 'SRV', 'NXDOMAIN SOA'],
    ['db.default.svc.cluster.local', 'A', '10.244.0.5 10.244.0.6 10.244.0.7'],
    ['db-1.db.default.svc.cluster.local', 'A', '10.244.0.6'],
    ['10-244-0-7.db.default.svc.cluster.local', 'A', '10.244.0.7'],
    ['db-9.db.default.svc.cluster.local', 'A', 'NXDOMAIN SOA'],
    [
      '_sql._tcp.db.default.svc.cluster.local',
      'SRV',
      '5432 db-0.db.default.svc.cluster.local 5432 db-1.db.default.svc.cluster.local 5432 10-244-0-7.db.default.svc.cluster.local',
    ],
    ['empty.default.svc.cluster.local', 'A', 'NXDOMAIN SOA'],
    ['out.default.svc.cluster.local', 'A', 'example.com'],
    ['10-244-0-9.other.pod.cluster.local', 'A', '10.244.0.9'],
    ['10-244-0-9.nowhere.pod.cluster.local', 'A', 'NXDOMAIN SOA'],
    ['nothing.default.svc.cluster.local', 'A', 'NXDOMAIN SOA'],
    ['web.nowhere.svc.cluster.local', 'A', 'NXDOMAIN SOA'],
    ['default.svc.cluster.local', 'A', 'NOERROR SOA'],
    ['svc.cluster.local', 'A', 'NOERROR SOA'],
    ['dns-version.cluster.local', 'TXT', '1.1.0'],
    ['cluster.local', 'SOA', 'soa'],
    ['10.0.96.10.in-addr.arpa', 'PTR', 'web.default.svc.cluster.local'],
    ['1.1.1.1.in-addr.arpa', 'PTR', 'not ours'],
    ['5.0.244.10.in-addr.arpa', 'PTR', 'db-0.db.default.svc.cluster.local'],
    ['example.com', 'A', 'not ours'],
  ])('%s %s', (name, type, expected) => expect(show(name, type)).toBe(expected));

  it('adds the addresses of SRV targets', () => {
    const found = ask('_sql._tcp.db.default.svc.cluster.local', 'SRV');
    expect(found?.additionals.map((it) => `${it.name} ${it.data}`)).toContain(
      'db-0.db.default.svc.cluster.local 10.244.0.5',
    );
  });
});

describe('resolveName', () => {
  const config = { searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'], ndots: 5 };
  const resolve = (name: string) =>
    resolveName(name, 'A', config, (query) => answer(query, data, defaultZone) ?? failure('NXDOMAIN'));
  it.each([
    ['web', ['10.96.0.10']],
    ['web.default', ['10.96.0.10']],
    ['web.default.svc.cluster.local.', ['10.96.0.10']],
    ['alias', ['10.96.0.10']],
    ['db-0.db', ['10.244.0.5']],
  ])('%s', async (name, addresses) => expect(await resolve(name)).toMatchObject({ kind: 'addresses', addresses }));
  it('tells a missing name from a missing address', async () => {
    expect(await resolve('nope')).toEqual({ kind: 'not-found' });
    expect(
      await resolveName('db', 'AAAA', config, (query) => answer(query, data, defaultZone) ?? failure('NXDOMAIN')),
    ).toEqual({
      kind: 'no-data',
    });
  });
});
