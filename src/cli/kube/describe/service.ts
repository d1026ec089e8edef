import { endpointslices } from '../../../api/generated/resources.ts';
import type { V1EndpointSlice, V1Service } from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import { inline, orNone } from './page.ts';

/** More ready endpoints than this are counted, not named. */
const endpointsShown = 3;

/** The ready endpoints of a port, by the port's name. */
export function endpointsText(slices: readonly V1EndpointSlice[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const found = slices.flatMap((slice) => {
    const ready = (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false);
    const addresses = ready.map((endpoint) => endpoint.addresses[0] ?? '');
    if (!slice.ports?.length) return addresses;
    return slice.ports
      .filter((port) => (port.name ?? '') === portName)
      .flatMap((port) => addresses.map((it) => `${it.includes(':') ? `[${it}]` : it}:${port.port}`));
  });
  const shown = found.slice(0, endpointsShown).join(',');
  return found.length > endpointsShown ? `${shown} + ${found.length - endpointsShown} more...` : shown;
}

const ingressText = (service: V1Service): string =>
  (service.status?.loadBalancer?.ingress ?? [])
    .map(({ ip, ipMode, hostname }) => (ip ? `${ip}${ipMode ? ` (${ipMode})` : ''}` : (hostname ?? '')))
    .join(', ');

export const describeService: Describer<V1Service> = async (page, object, around) => {
  const { metadata, spec = {} } = object;
  const { items: slices } = await around.client.list(endpointslices, {
    ...(metadata.namespace && { namespace: metadata.namespace }),
    labelSelector: `kubernetes.io/service-name=${metadata.name}`,
  });
  heading(page, metadata);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Selector:', inline(spec.selector));
  page.line(0, 'Type:', spec.type ?? '');
  if (spec.ipFamilyPolicy) page.line(0, 'IP Family Policy:', spec.ipFamilyPolicy);
  page.line(0, 'IP Families:', orNone(spec.ipFamilies?.join(',')));
  page.line(0, 'IP:', spec.clusterIP ?? '');
  page.line(0, 'IPs:', orNone(spec.clusterIPs?.join(',')));
  if (spec.externalIPs?.length) page.line(0, 'External IPs:', spec.externalIPs.join(','));
  if (spec.loadBalancerIP) page.line(0, 'Desired LoadBalancer IP:', spec.loadBalancerIP);
  if (spec.externalName) page.line(0, 'External Name:', spec.externalName);
  const ingress = ingressText(object);
  if (ingress) page.line(0, 'LoadBalancer Ingress:', ingress);
  for (const port of spec.ports ?? []) {
    const name = port.name || '<unset>';
    page.line(0, 'Port:', name, `${port.port}/${port.protocol}`);
    page.line(0, 'TargetPort:', `${port.targetPort ?? 0}/${port.protocol}`);
    if (port.nodePort) page.line(0, 'NodePort:', name, `${port.nodePort}/${port.protocol}`);
    page.line(0, 'Endpoints:', endpointsText(slices, port.name ?? ''));
  }
  page.line(0, 'Session Affinity:', spec.sessionAffinity ?? '');
  if (spec.externalTrafficPolicy) page.line(0, 'External Traffic Policy:', spec.externalTrafficPolicy);
  if (spec.internalTrafficPolicy) page.line(0, 'Internal Traffic Policy:', spec.internalTrafficPolicy);
  if (spec.healthCheckNodePort) page.line(0, 'HealthCheck NodePort:', spec.healthCheckNodePort);
  if (spec.loadBalancerSourceRanges?.length)
    page.line(0, 'LoadBalancer Source Ranges:', spec.loadBalancerSourceRanges.join(','));
  await ownEvents(page, object, around);
};
