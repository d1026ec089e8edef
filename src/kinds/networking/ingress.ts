import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { ingresses } from '../../api/generated/resources.ts';
import type { V1HTTPIngressPath, V1Ingress, V1IngressBackend } from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain, portName, portNumber, wildcardDns1123Subdomain } from '../../api/names.ts';
import { invalids, ipReasons } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';

type Ingress = Loose<V1Ingress>;

const classAnnotation = 'kubernetes.io/ingress.class';

function validateBackend(backend: Loose<V1IngressBackend> | undefined, path: string): FieldError[] {
  const { service, resource } = backend ?? {};
  const errors: FieldError[] = [];
  if (resource) {
    if (service) return [invalid(path, '', 'cannot set both resource and service backends')];
    if (!resource.kind) errors.push(required(`${path}.resource.kind`));
    if (!resource.name) errors.push(required(`${path}.resource.name`));
    return errors;
  }
  if (!service) return [required(path, 'port name or number is required')];
  const { name = '', port = {} } = service;
  const at = `${path}.service`;
  if (name === '') errors.push(required(`${at}.name`));
  else errors.push(...invalids(`${at}.name`, name, dns1123Label(name)));
  const { name: portText = '', number = 0 } = port;
  if (portText !== '' && number !== 0) errors.push(invalid(path, '', 'cannot set both port name & port number'));
  else if (portText !== '') errors.push(...invalids(`${at}.port.name`, portText, portName(portText)));
  else if (number !== 0) errors.push(...invalids(`${at}.port.number`, number, portNumber(number)));
  else errors.push(required(path, 'port name or number is required'));
  return errors;
}

const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badSuffixes = ['/..', '/.'];

function validatePath(item: Loose<V1HTTPIngressPath>, at: string): FieldError[] {
  const { path = '', pathType } = item;
  const errors: FieldError[] = [];
  const types = ['Exact', 'ImplementationSpecific', 'Prefix'];
  if (pathType === undefined) errors.push(required(`${at}.pathType`, 'pathType must be specified'));
  else if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
    for (const it of badSequences) {
      if (path.includes(it)) errors.push(invalid(`${at}.path`, path, `must not contain '${it}'`));
    }
    for (const it of badSuffixes) {
      if (path.endsWith(it)) errors.push(invalid(`${at}.path`, path, `cannot end with '${it}'`));
    }
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
  } else errors.push(notSupported(`${at}.pathType`, pathType, types));
  return [...errors, ...validateBackend(item.backend, `${at}.backend`)];
}

const hostReasons = (host: string): readonly string[] =>
  host.includes('*') ? wildcardDns1123Subdomain(host) : dns1123Subdomain(host);

function validateIngress({ spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
  if (rules.length === 0 && !defaultBackend) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  rules.forEach(({ host = '', http }, i) => {
    const at = `spec.rules[${i}]`;
    if (host !== '') {
      if (ipReasons(host).length === 0) {
        errors.push(invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
      }
      errors.push(...invalids(`${at}.host`, host, hostReasons(host)));
    }
    if (!http) return;
    const { paths = [] } = http;
    if (paths.length === 0) errors.push(required(`${at}.http.paths`));
    errors.push(...paths.flatMap((it, j) => validatePath(it, `${at}.http.paths[${j}]`)));
  });
  tls.forEach(({ hosts = [], secretName = '' }, i) => {
    const at = `spec.tls[${i}]`;
    errors.push(
      ...hosts.flatMap((it, j) => invalids(`${at}.hosts[${j}]`, it, hostReasons(it))),
      ...(secretName === '' ? [] : invalids(`${at}.secretName`, secretName, dns1123Subdomain(secretName))),
    );
  });
  if (ingressClassName !== undefined) {
    errors.push(...invalids('spec.ingressClassName', ingressClassName, dns1123Subdomain(ingressClassName)));
  }
  return errors;
}

const shown = 3;

function hosts({ spec = {} }: Ingress): string {
  const rules = spec.rules ?? [];
  const list: string[] = [];
  let more = false;
  for (const { host } of rules) {
    if (list.length === shown) more = true;
    if (!more && host) list.push(host);
  }
  if (list.length === 0) return '*';
  return more ? `${list.join(',')} + ${rules.length - shown} more...` : list.join(',');
}

const { column } = columnsOf<V1Ingress>();

export const ingressKind = defineKind(ingresses, {
  defaults(ingress) {
    ingress.spec ??= {};
    ingress.status ??= {};
    ingress.status.loadBalancer ??= {};
  },
  hasGeneration: true,
  onCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate(ingress) {
    const errors = validateIngress(ingress);
    const annotation = ingress.metadata?.annotations?.[classAnnotation];
    const name = ingress.spec?.ingressClassName;
    if (annotation !== undefined && name !== undefined && annotation !== name) {
      const detail = 'must match `ingressClassName` when both are specified';
      errors.push(invalid(`annotations.${classAnnotation}`, annotation, detail));
    }
    return errors;
  },
  validateUpdate: validateIngress,
  validateStatus: ({ status = {} }) =>
    (status.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, i) => {
      const at = `status.loadBalancer.ingress[${i}]`;
      return [
        ...(ip ? invalids(`${at}.ip`, ip, ipReasons(ip)) : []),
        ...(hostname ? invalids(`${at}.hostname`, hostname, dns1123Subdomain(hostname)) : []),
        ...(hostname && ipReasons(hostname).length === 0
          ? [invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address')]
          : []),
      ];
    }),
  warnings: ({ metadata = {}, spec = {} }, old) =>
    !old && metadata.annotations?.[classAnnotation] !== undefined && spec.ingressClassName === undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  columns: [
    nameColumn,
    column(
      'Class',
      'The name of the IngressClass resource that should be used for additional configuration',
      (it) => it.spec?.ingressClassName ?? '<none>',
    ),
    column('Hosts', 'Hosts that incoming requests are matched against before the ingress rule', hosts),
    column('Address', 'Address is a list containing ingress points for the load-balancer', (it) =>
      [...new Set((it.status?.loadBalancer?.ingress ?? []).map((at) => at.ip || at.hostname || '').filter(Boolean))]
        .sort()
        .join(','),
    ),
    column('Ports', 'Ports of TLS configurations that open', (it) => (it.spec?.tls?.length ? '80, 443' : '80')),
    ageColumn,
  ],
});
