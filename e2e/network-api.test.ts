import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';

const missing = kubectls().length === 0 ? 'kubectl is not installed' : '';

/** Kinds of the network, an object of each, and a change that can be made to it. */
const kinds: readonly (readonly [path: string, namespaced: boolean, object: object, change: object])[] = [
  [
    'discovery.k8s.io/v1/endpointslices',
    true,
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
    { ports: [{ name: 'http', port: 81, protocol: 'TCP' }] },
  ],
  [
    'networking.k8s.io/v1/ingresses',
    true,
    { spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } },
    { spec: { defaultBackend: { service: { name: 'b', port: { number: 80 } } } } },
  ],
  ['networking.k8s.io/v1/ingressclasses', false, { spec: { controller: 'example.com/own' } }, {}],
  ['networking.k8s.io/v1/servicecidrs', false, { spec: { cidrs: ['10.200.0.0/24'] } }, {}],
  [
    'networking.k8s.io/v1/networkpolicies',
    true,
    { spec: { podSelector: {}, policyTypes: ['Ingress'] } },
    { spec: { policyTypes: ['Ingress', 'Egress'] } },
  ],
  ['v1/services', true, { spec: { ports: [{ port: 80 }] } }, { spec: { ports: [{ port: 81 }] } }],
  ['v1/endpoints', true, { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] }, {}],
];

describe.skipIf(missing !== '')(`kinds of the network${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ args: ['--no-node'] });
  }, 60_000);
  afterAll(() => cluster?.dispose());

  const raw = async (verb: 'create' | 'replace' | 'delete', path: string, body?: object): Promise<string> => {
    const args = [verb, '--raw', path, ...(body ? ['-f', '-'] : [])];
    const output = await cluster.kubectlWith(body ? { input: JSON.stringify(body) } : {}, ...args);
    if (output.code !== 0) throw new Error(`${verb} ${path}: ${output.stderr}`);
    return output.stdout;
  };

  it.each(kinds)(
    '%s: created, listed, patched, replaced, deleted one by one and as a collection',
    async (path, namespaced, object, change) => {
      const [group = '', version = '', plural = ''] = path.startsWith('v1/')
        ? ['', ...path.split('/')]
        : path.split('/');
      const base = group ? `/apis/${group}/${version}` : `/api/${version}`;
      const discovery = JSON.parse(await cluster.ok('get', '--raw', base)) as {
        resources: { name: string; kind: string; verbs: string[] }[];
      };
      const found = discovery.resources.find((it) => it.name === plural);
      expect(found?.verbs).toEqual(
        expect.arrayContaining(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']),
      );
      const url = namespaced ? `${base}/namespaces/default/${plural}` : `${base}/${plural}`;
      const apiVersion = group ? `${group}/${version}` : version;
      const make = (name: string) => ({
        apiVersion,
        kind: found?.kind,
        metadata: { name, labels: { of: 'test' } },
        ...object,
      });
      await raw('create', url, make('one'));
      await raw('create', url, {
        ...make('two'),
        ...(plural === 'servicecidrs' && { spec: { cidrs: ['10.201.0.0/24'] } }),
      });
      const get = async (name: string) =>
        JSON.parse(await cluster.ok('get', '--raw', `${url}/${name}`)) as { metadata: { labels: object } };
      const patch = { metadata: { labels: { patched: 'yes' } }, ...change };
      await cluster.ok('patch', plural, 'one', '--type=merge', '-p', JSON.stringify(patch));
      const patched = await get('one');
      expect(patched).toMatchObject(patch);
      await raw('replace', `${url}/one`, {
        ...patched,
        metadata: { ...patched.metadata, labels: { of: 'test', replaced: 'yes' } },
      });
      expect((await get('one')).metadata.labels).toEqual({ of: 'test', replaced: 'yes' });
      await raw('delete', `${url}/one`);
      const list = async (): Promise<string> => cluster.ok('get', plural, '-l', 'of=test', '-o', 'name');
      if (plural === 'servicecidrs') return;
      expect((await list()).trim().split('\n')).toHaveLength(1);
      await raw('delete', `${url}?labelSelector=of%3Dtest`);
      await cluster.until(['get', plural, '-l', 'of=test', '-o', 'name'], (out) => out === '');
    },
    60_000,
  );

  it('a Service’s address is an IPAddress that names it; the kubernetes Service leads to the server', async () => {
    await raw('create', '/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'addressed' },
      spec: { ports: [{ port: 80 }] },
    });
    const ip = await cluster.ok('get', 'service', 'addressed', '-o', 'jsonpath={.spec.clusterIP}');
    const address = await cluster.ok('get', 'ipaddress', ip, '-o', 'jsonpath={.spec.parentRef.name}');
    expect(address).toBe('addressed');
    expect(await cluster.ok('get', 'endpointslices', '-n', 'default')).toMatch(/kubernetes\s+IPv4/);
    expect(await cluster.ok('get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[0].ports[0].name}')).toBe(
      'https',
    );
    expect(await cluster.ok('get', 'services', '-A')).toMatch(/default\s+kubernetes\s+ClusterIP/);
  });

  it('types change: an ExternalName gets an address and a port, and loses them again', async () => {
    const patch = (spec: object) =>
      cluster.ok('patch', 'service', 'addressed', '--type=merge', '-p', JSON.stringify({ spec }));
    const field = (path: string) => cluster.ok('get', 'service', 'addressed', '-o', `jsonpath={${path}}`);
    await patch({ type: 'ExternalName', externalName: 'example.com', clusterIP: null, clusterIPs: null });
    expect(await field('.spec.clusterIP')).toBe('');
    await patch({ type: 'NodePort', externalName: null });
    expect(await field('.spec.clusterIP')).toMatch(/^10\./);
    expect(await field('.spec.ports[0].nodePort')).toMatch(/^3\d{4}$/);
    await patch({ type: 'ClusterIP' });
    expect(await field('.spec.ports[0].nodePort')).toBe('');
  });
});
