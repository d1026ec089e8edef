import * as resources from '../api/generated/resources.ts';
import type { KubeObject, Resource } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import type { Client } from '../client/client.ts';
import { keyOf } from '../client/informer.ts';
import type { ClusterOptions } from './options.ts';

/** An object that every cluster has from its first second. */
interface Bootstrap {
  readonly resource: Resource;
  readonly object: KubeObject;
}

const of = <T extends KubeObject>(resource: Resource<T>, object: T): Bootstrap => ({
  resource: resource as Resource,
  object: {
    apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
    kind: resource.kind,
    ...object,
  },
});

/** The address with this number in an IPv4 range: `10.96.0.0/12`, 10 -> `10.96.0.10`. */
export function addressIn(cidr: string, number: number): string {
  const base = (cidr.split('/')[0] ?? '').split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + number;
  return [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.');
}

export const apiServiceAddress = (serviceCidr: string): string => addressIn(serviceCidr, 1);
export const dnsServiceAddress = (serviceCidr: string): string => addressIn(serviceCidr, 10);

/** The Corefile that the built-in DNS server reads, as kubeadm writes it. */
const corefile = (domain: string): string => `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes ${domain} in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
`;

/**
 * Namespaces, system priority classes, the `kubernetes` and `kube-dns` Services, the default StorageClass and what else clients
 * take for granted (kube-apiserver's own bootstrap controllers and kubeadm's addons). RBAC has its own bootstrap.
 */
export function bootstrapObjects(options: ClusterOptions, caPem: string): readonly Bootstrap[] {
  const system = 'kube-system';
  return [
    ...['default', system, 'kube-public', 'kube-node-lease'].map((name) =>
      of(resources.namespaces, { metadata: { name } }),
    ),
    of(resources.priorityclasses, {
      metadata: { name: 'system-cluster-critical' },
      value: 2_000_000_000,
      description:
        'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    }),
    of(resources.priorityclasses, {
      metadata: { name: 'system-node-critical' },
      value: 2_000_001_000,
      description: 'Used for system critical pods that must not be moved from their current node.',
    }),
    of(resources.servicecidrs, { metadata: { name: 'kubernetes' }, spec: { cidrs: [options.serviceCidr] } }),
    of(resources.services, {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { component: 'apiserver', provider: 'kubernetes' },
      },
      spec: {
        type: 'ClusterIP',
        clusterIP: apiServiceAddress(options.serviceCidr),
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: options.listenPort }],
      },
    }),
    of(resources.services, {
      metadata: {
        name: 'kube-dns',
        namespace: system,
        labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      },
      spec: {
        type: 'ClusterIP',
        clusterIP: dnsServiceAddress(options.serviceCidr),
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    }),
    of(resources.configmaps, {
      metadata: { name: 'coredns', namespace: system },
      data: { Corefile: corefile(options.clusterDomain) },
    }),
    of(resources.configmaps, {
      metadata: { name: 'extension-apiserver-authentication', namespace: system },
      data: { 'client-ca-file': caPem },
    }),
    of(resources.clusterroles, {
      metadata: {
        name: 'system:aggregated-metrics-reader',
        labels: {
          'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
          'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
          'rbac.authorization.k8s.io/aggregate-to-view': 'true',
        },
      },
      rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
    }),
    of(resources.ingressclasses, {
      metadata: { name: 'coracle', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'coracle.dev/ingress' },
    }),
    of(resources.storageclasses, {
      metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'coracle.dev/local-path',
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    }),
  ];
}

/** Creates what is missing; what is there stays as it is. */
export async function ensureBootstrapObjects(client: Client, objects: readonly Bootstrap[]): Promise<void> {
  for (const { resource, object } of objects) {
    const { name = '', namespace } = object.metadata ?? {};
    try {
      // Asked first: admission of a create may refuse what is there already for reasons of its own (an address that is taken).
      await client.get(resource, name, namespace ? { namespace } : {});
      continue;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    try {
      await client.create(resource, object);
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists'))
        throw new Error(`cannot create ${resource.plural} ${keyOf(object)}: ${String(error)}`);
    }
  }
}

/** Where a Service without a selector leads. */
export interface ServiceBackend {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/** Points a Service without a selector at an address of this process. */
export async function publishBackend(client: Client, backend: ServiceBackend): Promise<void> {
  const { name, namespace, address, ports } = backend;
  const metadata = { name, namespace };
  const subsets = [{ addresses: [{ ip: address }], ports }];
  const slice = {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  };
  await createOrUpdate(client, resources.endpoints, {
    metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets,
  });
  await createOrUpdate(client, resources.endpointslices, slice);
}

async function createOrUpdate<T extends KubeObject>(client: Client, resource: Resource<T>, object: T): Promise<void> {
  try {
    await client.update(resource, object);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create(resource, object);
  }
}
