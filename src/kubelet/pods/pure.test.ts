import { describe, expect, it } from 'vitest';
import type { V1Container, V1Node, V1Pod, V1Service } from '../../api/generated/types.ts';
import { goDuration } from '../go-format.ts';
import { parseImageName, withDefaultTag } from '../images/image-name.ts';
import { lookupCredentials } from '../images/keyring.ts';
import { admitPod } from './admission.ts';
import { parseResolvConf, podDns } from './dns.ts';
import { fieldValue, resourceValue } from './downward.ts';
import { resolveEnv } from './env.ts';
import { expand } from './expansion.ts';
import { hostsFile, kernelHostname, podHostname } from './hosts.ts';
import { terminationPrerequisites } from './kill.ts';
import { linuxResources, podRequests, qosClass } from './resources.ts';
import { containerSecurity } from './security.ts';

const pod = (spec: Partial<NonNullable<V1Pod['spec']>> = {}, meta: V1Pod['metadata'] = {}): V1Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u', ...meta },
  spec: { containers: [{ name: 'a', image: 'i' }], ...spec },
});
const c = (name: string, more: Partial<V1Container> = {}): V1Container => ({ name, image: 'i', ...more });
const facts = { podIps: ['10.0.0.1', 'fd00::1'], hostIps: ['192.168.0.1'], allocatable: { cpu: '4', memory: '8Gi' } };

describe('expand', () => {
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y2'],
    ['$(NOPE)', '$(NOPE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$A $', '$A $'],
    ['$(A', '$(A'],
  ])('%s', (text, expected) => {
    expect(expand(text, (name) => ({ A: '1', B: '2' })[name])).toBe(expected);
  });
});

describe('go durations', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [1500, '1.5s'],
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
    [3_600_000, '1h0m0s'],
  ])('%i', (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});

describe('environment', () => {
  const service: V1Service = {
    metadata: { name: 'my-db', namespace: 'ns' },
    spec: { clusterIP: '10.96.0.5', ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
  };
  const resolve = async (container: Partial<V1Container>) =>
    Object.fromEntries(
      (
        await resolveEnv({
          pod: pod({ enableServiceLinks: true }, { labels: { app: 'x' } }),
          container: c('a', container),
          services: [service],
          facts,
          objects: {
            configMap: async (_, name) => {
              if (name !== 'cm') throw new Error(`configmap "${name}" not found`);
              return { data: { K: 'v', 'not.a.c.name': 'w' } };
            },
            secret: async () => ({ data: { S: Buffer.from('hush').toString('base64') } }),
          },
          fileKey: async () => undefined,
        })
      ).map((it) => [it.key, it.value]),
    );
  it('takes from everywhere, later over earlier', async () => {
    const env = await resolve({
      envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'P_', secretRef: { name: 's' } }],
      env: [
        { name: 'K', value: 'own' },
        { name: 'URL', value: '$(K)@$(MY_DB_SERVICE_HOST):$(MISSING)' },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'EMPTY' },
      ],
    });
    expect(env).toMatchObject({
      K: 'own',
      'not.a.c.name': 'w',
      P_S: 'hush',
      URL: 'own@10.96.0.5:$(MISSING)',
      IP: '10.0.0.1',
      CPU: '4000',
      EMPTY: '',
      MY_DB_PORT_5432_TCP: 'tcp://10.96.0.5:5432',
      MY_DB_SERVICE_PORT_SQL: '5432',
    });
  });
  it('names what is missing', async () => {
    await expect(
      resolve({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'nope' } } }] }),
    ).rejects.toThrow("couldn't find key nope in ConfigMap ns/cm");
    await expect(
      resolve({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'nope' } } }] }),
    ).rejects.toThrow("couldn't find key nope in Secret ns/s");
    expect(
      await resolve({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'nope', optional: true } } }] }),
    ).not.toHaveProperty('A');
  });
});

describe('downward API', () => {
  it.each([
    ["metadata.labels['app']", 'x'],
    ['metadata.labels', 'app="x"\nb="y\\"z"'],
    ['status.podIPs', '10.0.0.1,fd00::1'],
    ['metadata.namespace', 'ns'],
  ])('%s', (fieldPath, expected) => {
    expect(fieldValue(pod({}, { labels: { b: 'y"z', app: 'x' } }), { fieldPath }, facts)).toBe(expected);
  });
  it('divides and rounds up', () => {
    const it = c('a', { resources: { requests: { memory: '100Mi', cpu: '250m' } } });
    expect(resourceValue(pod(), it, { resource: 'requests.memory', divisor: '1Mi' }, facts)).toBe('100');
    expect(resourceValue(pod(), it, { resource: 'requests.cpu' }, facts)).toBe('1');
    expect(resourceValue(pod(), it, { resource: 'limits.memory', divisor: '1Gi' }, facts)).toBe('8');
  });
});

describe('resources', () => {
  const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
  it('classifies', () => {
    expect(qosClass(pod())).toBe('BestEffort');
    expect(qosClass(pod({ containers: [c('a', { resources: resources('1', '1Gi') })] }))).toBe('Guaranteed');
    expect(qosClass(pod({ containers: [c('a', { resources: resources('1', '1Gi') }), c('b')] }))).toBe('Burstable');
  });
  it('translates to cgroups', () => {
    const it = c('a', {
      resources: { requests: { cpu: '100m', memory: '1Gi' }, limits: { cpu: '500m', memory: '2Gi' } },
    });
    expect(linuxResources(pod({ containers: [it] }), it, 8 * 2 ** 30)).toMatchObject({
      cpuShares: 102,
      cpuQuota: 50_000,
      cpuPeriod: 100_000,
      memoryLimitInBytes: 2 ** 31,
      oomScoreAdj: 875,
    });
    expect(linuxResources(pod(), c('a'), 1)).toMatchObject({ cpuShares: 2, cpuQuota: 0, oomScoreAdj: 1000 });
  });
  it('sums sidecars and takes the largest init container', () => {
    const req = (cpu: string): Partial<V1Container> => ({ resources: { requests: { cpu } } });
    expect(
      podRequests(
        pod({
          containers: [c('a', req('1')), c('b', req('1'))],
          initContainers: [c('s', { ...req('500m'), restartPolicy: 'Always' }), c('i', req('3'))],
        }),
      ),
    ).toEqual({ cpu: 3500 });
  });
});

describe('names of images', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx', 'latest'],
    ['me/app:1', 'docker.io/me/app', '1'],
    ['localhost:5000/a/b', 'localhost:5000/a/b', 'latest'],
    ['reg.io/a@sha256:'.concat('a'.repeat(64)), 'reg.io/a', ''],
  ])('%s', (image, repository, tag) => {
    expect(parseImageName(image)).toMatchObject({ repository, tag });
  });
  it('completes and refuses', () => {
    expect(withDefaultTag('nginx')).toBe('nginx:latest');
    expect(() => parseImageName('a b')).toThrow('couldn\'t parse image name "a b": invalid reference format');
    expect(() => parseImageName('a'.repeat(64))).toThrow('cannot specify 64-byte hexadecimal strings');
  });
  it('finds the most specific credentials, by host patterns too', () => {
    const secret = (auths: object) => ({
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    });
    const auth = (user: string) => ({ auth: Buffer.from(`${user}:pw`).toString('base64') });
    const secrets = [
      secret({
        'https://index.docker.io/v1/': auth('hub'),
        '*.example.com': auth('wild'),
        'reg.example.com/team': auth('team'),
      }),
    ];
    const users = (repository: string) => lookupCredentials(secrets, repository).map((it) => it.auth.username);
    expect(users('docker.io/library/nginx')).toEqual(['hub']);
    expect(users('reg.example.com/team/app')).toEqual(['team', 'wild']);
    expect(users('quay.io/x/y')).toEqual([]);
  });
});

describe('DNS and hosts', () => {
  const host = parseResolvConf('# x\nnameserver 8.8.8.8\nsearch corp.example.\noptions ndots:2 edns0\n');
  const dns = (spec: Partial<NonNullable<V1Pod['spec']>>, clusterDns = ['10.96.0.10']) =>
    podDns({ pod: pod(spec), host, clusterDns, clusterDomain: 'cluster.local' });
  it('follows the policy', () => {
    expect(dns({ dnsPolicy: 'ClusterFirst' }).config).toEqual({
      servers: ['10.96.0.10'],
      searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
      options: ['ndots:5'],
    });
    expect(dns({ dnsPolicy: 'ClusterFirst', hostNetwork: true }).config.servers).toEqual(['8.8.8.8']);
    expect(dns({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }).config.servers).toEqual(['10.96.0.10']);
    expect(
      dns({
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '1' }, { name: 'edns0' }] },
      }).config,
    ).toEqual({ servers: ['1.1.1.1'], searches: [], options: ['ndots:1', 'edns0'] });
  });
  it('warns in upstream words', () => {
    expect(dns({ dnsPolicy: 'ClusterFirst' }, []).warnings[0]).toMatchObject({ reason: 'MissingClusterDNS' });
    expect(dns({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1', '2', '3', '4'] } }).warnings[0]?.message).toBe(
      'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1 2 3',
    );
  });
  it('names the host and writes its file', () => {
    const it = pod({ hostname: 'web-0', subdomain: 'web', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] });
    const { hostname, domain } = podHostname(it, 'cluster.local');
    expect([hostname, domain]).toEqual(['web-0', 'web.ns.svc.cluster.local']);
    expect(kernelHostname(hostname, domain, true)).toBe('web-0.web.ns.svc.cluster.local');
    expect(hostsFile(it, ['10.0.0.1'], hostname, domain, undefined)).toContain(
      '10.0.0.1\tweb-0.web.ns.svc.cluster.local\tweb-0\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n',
    );
  });
});

describe('security', () => {
  it('maps the context of pod and container', () => {
    const it = pod({
      securityContext: {
        runAsUser: 5,
        fsGroup: 7,
        supplementalGroups: [8],
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    const container = c('a', {
      securityContext: {
        runAsUser: 6,
        allowPrivilegeEscalation: false,
        capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      },
    });
    expect(containerSecurity(it, container, { username: '' }, undefined, '/k')).toMatchObject({
      runAsUser: 6,
      supplementalGroups: [7, 8],
      noNewPrivs: true,
      addCapabilities: ['NET_ADMIN'],
      dropCapabilities: ['ALL'],
      seccomp: { profileType: 'RuntimeDefault' },
      namespaceOptions: { pid: 'CONTAINER', network: 'POD' },
    });
    expect(containerSecurity(it, container, { username: '' }, 'target', '/k').namespaceOptions).toMatchObject({
      pid: 'TARGET',
      targetId: 'target',
    });
  });
});

describe('admission', () => {
  const node: V1Node = {
    metadata: { name: 'n', labels: { zone: 'a' } },
    spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] },
    status: { allocatable: { cpu: '2', memory: '1Gi', pods: '2' } },
  };
  const tolerant = { tolerations: [{ operator: 'Exists' }] };
  const cases: [string, Partial<NonNullable<V1Pod['spec']>>, V1Pod[], string | undefined][] = [
    ['fits', tolerant, [], undefined],
    ['taint', {}, [], 'TaintToleration'],
    ['pods', tolerant, [pod(), pod()], 'OutOfpods'],
    [
      'memory',
      { ...tolerant, containers: [c('a', { resources: { requests: { memory: '2Gi' } } })] },
      [],
      'OutOfmemory',
    ],
    ['selector', { ...tolerant, nodeSelector: { zone: 'b' } }, [], 'NodeAffinity'],
    [
      'port',
      { ...tolerant, containers: [c('a', { ports: [{ containerPort: 1, hostPort: 80 }] })] },
      [pod({ containers: [c('b', { ports: [{ containerPort: 2, hostPort: 80 }] })] })],
      'NodePorts',
    ],
    [
      'unknown resource',
      { ...tolerant, containers: [c('a', { resources: { requests: { 'x.io/gpu': '1' } } })] },
      [],
      undefined,
    ],
  ];
  it.each(cases)('%s', (_, spec, others, reason) => {
    expect(admitPod(pod(spec), node, others)?.reason).toBe(reason);
  });
});

describe('the order of ends', () => {
  it('lets sidecars wait for the rest, last first', () => {
    const it = pod({
      containers: [c('a'), c('b')],
      initContainers: [c('s1', { restartPolicy: 'Always' }), c('i'), c('s2', { restartPolicy: 'Always' })],
    });
    expect(Object.fromEntries(terminationPrerequisites(it, ['a', 's1', 's2']))).toEqual({ s2: ['a'], s1: ['a', 's2'] });
  });
});
