import { endpointslices, pods, services } from '../../../api/generated/resources.ts';
import type { V1Service, V1ServicePort } from '../../../api/generated/types.ts';
import { matchesLabels, requirementsOfMap } from '../../../api/label-selector.ts';
import type { Reference } from '../../reference.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** A Service with the pods that it selects. */
export interface ServiceView {
  readonly service: V1Service;
  readonly ref: Reference;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly backends: readonly PodFacts[];
}

/** Services that have a selector; those without are somebody's own business. */
export function* servicesOf(snapshot: Snapshot): Iterable<ServiceView> {
  if (!snapshot.sees(pods)) return;
  for (const service of snapshot.all(services)) {
    const selector = service.spec?.selector ?? {};
    if (Object.keys(selector).length === 0 || service.spec?.type === 'ExternalName') continue;
    const namespace = service.metadata?.namespace ?? 'default';
    const wanted = requirementsOfMap(selector);
    const backends = snapshot
      .podsIn(namespace)
      .filter(
        (it) =>
          matchesLabels(wanted, it.pod.metadata?.labels) &&
          it.pod.status?.phase !== 'Succeeded' &&
          it.pod.status?.phase !== 'Failed',
      );
    yield {
      service,
      namespace,
      selector,
      backends,
      ref: { kind: 'Service', namespace, name: service.metadata?.name ?? '' },
    };
  }
}

export const showSelector = (selector: Readonly<Record<string, string>>): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

export const isReady = ({ pod }: PodFacts): boolean =>
  pod.status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'True') ?? false;

/** Ready addresses of a Service, of its EndpointSlices. */
export const readyEndpoints = (
  snapshot: Snapshot,
  { ref, namespace }: Pick<ServiceView, 'ref' | 'namespace'>,
): number =>
  snapshot
    .in(endpointslices, namespace)
    .filter((it) => it.metadata?.labels?.['kubernetes.io/service-name'] === ref.name)
    .flatMap((it) => it.endpoints ?? [])
    .filter((it) => it.conditions?.ready !== false).length;

/** The container ports of a pod. */
export const containerPorts = (
  pod: PodFacts,
): readonly { readonly name: string | undefined; readonly port: number; readonly protocol: string }[] =>
  pod.containers
    .filter((it) => it.role !== 'init')
    .flatMap((it) =>
      (it.spec.ports ?? []).map((port) => ({
        name: port.name,
        port: port.containerPort,
        protocol: port.protocol ?? 'TCP',
      })),
    );

export const targetOf = (port: V1ServicePort): string | number => port.targetPort ?? port.port;

/** `port 80 (http)`. */
export const showPort = (port: V1ServicePort): string => `port ${port.port}${port.name ? ` (${port.name})` : ''}`;

export const serviceExample = (name: string, spec: string): string =>
  `---\nkind: Service\nmetadata: {name: ${name}}\nspec: {clusterIP: 10.96.0.9, ${spec}}\n`;

export const backendExample = (
  name: string,
  labels: string,
  more: { readonly ports?: string; readonly ready?: boolean; readonly spec?: string } = {},
): string => `
---
kind: Pod
metadata: {name: ${name}, labels: ${labels}}
spec:
  nodeName: n1
${more.spec ?? ''}
  containers: [{name: app, image: nginx:1.27${more.ports ? `, ports: ${more.ports}` : ''}}]
status:
  phase: Running
  podIP: 10.244.0.7
  conditions: [{type: Ready, status: "${more.ready === false ? 'False' : 'True'}"}]
  containerStatuses: [{name: app, image: nginx:1.27, ready: ${more.ready !== false}, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:00Z"}}}]
`;

/** A Deployment of nginx and a Service, for faults. */
export const serviceFault = (spec: string, pod = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${pod}
      containers: [{name: app, image: "nginx:1.27", ports: [{containerPort: 80, name: http}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {${spec}}
`;
