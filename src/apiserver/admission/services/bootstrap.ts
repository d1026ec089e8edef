import {
  endpoints,
  endpointslices,
  priorityclasses,
  servicecidrs,
  services,
} from '../../../api/generated/resources.ts';
import type { KubeObject, Resource } from '../../../api/resource.ts';
import { hasReason } from '../../../api/status.ts';
import { rfc3339 } from '../../../base/clock.ts';
import type { Draft } from '../../../kinds/kind.ts';
import { loopbackUser } from '../../authz/loopback.ts';
import type { ServerContext } from '../../contracts.ts';
import { addressText, familyOf, parseCidr } from './addresses.ts';
import { defaultServiceRanges } from './plugin.ts';

async function ensure<T extends KubeObject>(context: ServerContext, resource: Resource<T>, object: T): Promise<void> {
  const { name = '', namespace } = object.metadata ?? {};
  if (context.reader.get(resource, namespace, name)) return;
  try {
    await context.dispatch({
      verb: 'create',
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      ...(namespace !== undefined && { namespace }),
      options: {},
      body: object,
      user: loopbackUser,
    });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

/** The classes of what a cluster cannot live without (pkg/apis/scheduling/v1/helpers.go). */
export async function ensureSystemPriorityClasses(context: ServerContext): Promise<void> {
  const of = (name: string, value: number, description: string) =>
    ensure(context, priorityclasses, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    });
  await Promise.all([
    of(
      'system-node-critical',
      2_000_001_000,
      'Used for system critical pods that must not be moved from their current node.',
    ),
    of(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
  ]);
}

export interface KubernetesServiceOptions {
  readonly serviceCidrs?: readonly string[];
  /** Where the API server can be reached from pods. */
  readonly address: string;
  readonly port: number;
}

/** The cluster address of the Service `default/kubernetes`: the first of the first range. */
export function kubernetesServiceAddress(serviceCidrs: readonly string[] = defaultServiceRanges.serviceCidrs): string {
  const cidr = parseCidr(serviceCidrs[0] ?? '');
  return cidr ? addressText(cidr.base + 1n, cidr.family) : '';
}

/** Makes the ServiceCIDR and Service named `kubernetes`, and points the latter's endpoints at this server. */
export async function ensureKubernetesService(
  context: ServerContext,
  options: KubernetesServiceOptions,
): Promise<void> {
  const cidrs = options.serviceCidrs ?? defaultServiceRanges.serviceCidrs;
  await ensure(context, servicecidrs, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [...cidrs] },
  });
  await context.mutate(servicecidrs, undefined, 'kubernetes', (draft, live) =>
    live.status?.conditions?.some((condition) => condition.type === 'Ready')
      ? undefined
      : {
          ...draft,
          status: {
            conditions: [
              {
                type: 'Ready',
                status: 'True',
                reason: '',
                message: 'Kubernetes default Service CIDR is ready',
                lastTransitionTime: rfc3339(context.clock.now()),
              },
            ],
          },
        },
  );
  const clusterIP = kubernetesServiceAddress(cidrs);
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  await ensure(context, services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [familyOf(clusterIP) ?? 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: options.port }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
      internalTrafficPolicy: 'Cluster',
    },
  });
  const subsets = [
    { addresses: [{ ip: options.address }], ports: [{ name: 'https', port: options.port, protocol: 'TCP' }] },
  ];
  const meta = { name: 'kubernetes', namespace: 'default' };
  await ensure(context, endpoints, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...meta, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets,
  });
  await context.mutate(endpoints, 'default', 'kubernetes', (draft: Draft) => ({ ...draft, subsets }));
  const slice = {
    addressType: familyOf(options.address) ?? 'IPv4',
    endpoints: [{ addresses: [options.address], conditions: { ready: true } }],
    ports: [{ name: 'https', port: options.port, protocol: 'TCP' }],
  };
  await ensure(context, endpointslices, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    ...slice,
  });
  await context.mutate(endpointslices, 'default', 'kubernetes', (draft: Draft) => ({ ...draft, ...slice }));
}
