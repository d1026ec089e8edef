import { endpointslices, services } from '../../../api/generated/resources.ts';
import type { V1Ingress, V1IngressBackend, V1IngressClass } from '../../../api/generated/types.ts';
import { StatusError } from '../../../api/status.ts';
import { type Describer, labelsAndAnnotations, type Surroundings } from './describer.ts';
import { ownEvents } from './events.ts';
import { annotationLines, pairs } from './page.ts';
import { endpointsText } from './service.ts';

async function backendText(
  { service, resource }: V1IngressBackend,
  namespace: string,
  { client }: Surroundings,
): Promise<string> {
  if (resource) return `APIGroup: ${resource.apiGroup ?? '<none>'}, Kind: ${resource.kind}, Name: ${resource.name}`;
  if (!service) return '';
  const shown = `${service.name}:${service.port?.number || (service.port?.name ?? '')}`;
  try {
    const [slices, found] = await Promise.all([
      client.list(endpointslices, { namespace, labelSelector: `kubernetes.io/service-name=${service.name}` }),
      client.get(services, service.name, { namespace }),
    ]);
    const port = found.spec?.ports?.findLast((one) =>
      service.port?.number ? service.port.number === one.port : Boolean(one.name) && service.port?.name === one.name,
    );
    return `${shown} (${endpointsText(slices.items, port?.name ?? '')})`;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `${shown} (<error: ${error.message}>)`;
  }
}

export const describeIngress: Describer<V1Ingress> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  const namespace = metadata.namespace ?? '';
  page.line(0, 'Name:', metadata.name);
  page.list('Labels', pairs(metadata.labels));
  page.line(0, 'Namespace:', namespace);
  const addresses = (status?.loadBalancer?.ingress ?? []).map((one) => one.ip || (one.hostname ?? ''));
  page.line(0, 'Address:', [...new Set(addresses.filter((one) => one !== ''))].sort().join(','));
  page.line(0, 'Ingress Class:', spec?.ingressClassName ?? '<none>');
  const fallback = spec?.defaultBackend ? await backendText(spec.defaultBackend, namespace, around) : '<default>';
  page.line(0, 'Default backend:', fallback);
  if (spec?.tls?.length) page.line(0, 'TLS:');
  for (const { secretName, hosts } of spec?.tls ?? []) {
    const names = (hosts ?? []).join(',');
    page.line(1, secretName ? `${secretName} terminates ${names}` : `SNI routes ${names}`);
  }
  page.line(0, 'Rules:');
  page.line(1, 'Host', 'Path', 'Backends');
  page.line(1, '----', '----', '--------');
  const rules = (spec?.rules ?? []).filter((rule) => rule.http);
  for (const { host, http } of rules) {
    page.line(1, host || '*', '');
    for (const { path = '', backend } of http?.paths ?? [])
      page.line(2, '', `${path} `, await backendText(backend, namespace, around));
  }
  if (rules.length === 0) page.line(1, '*', '*', fallback);
  page.list('Annotations', annotationLines(metadata.annotations));
  await ownEvents(page, object, around);
};

export const describeIngressClass: Describer<V1IngressClass> = async (page, object, around) => {
  const { metadata, spec } = object;
  page.line(0, 'Name:', metadata.name);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Controller:', spec?.controller ?? '');
  if (spec?.parameters) {
    page.line(0, 'Parameters:');
    if (spec.parameters.apiGroup !== undefined) page.line(1, 'APIGroup:', spec.parameters.apiGroup);
    page.line(1, 'Kind:', spec.parameters.kind);
    page.line(1, 'Name:', spec.parameters.name);
  }
  await ownEvents(page, object, around);
};
