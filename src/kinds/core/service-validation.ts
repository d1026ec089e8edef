import { duplicate, type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type { V1Service, V1ServicePort } from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '../../api/names.ts';
import { invalids, ipReasons, isCidr, isIpv6, oneOf, optionalOneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabels } from '../labels.ts';
import { validatePort } from './probe-validation.ts';

type Service = Loose<V1Service>;
type Spec = NonNullable<Service['spec']>;

export const isHeadless = (spec: Spec): boolean => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None';

/** Whether traffic from outside the cluster can reach the service. */
export const isExternal = (spec: Spec): boolean =>
  spec.type === 'LoadBalancer' ||
  spec.type === 'NodePort' ||
  (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);

/** Whether a node port answers the load balancer's health checks. */
export const needsHealthCheck = (spec: Spec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

function validateServicePort(
  port: Loose<V1ServicePort>,
  path: string,
  needsName: boolean,
  names: Set<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', appProtocol } = port;
  if (name === '') {
    if (needsName) errors.push(required(`${path}.name`));
  } else {
    errors.push(...invalids(`${path}.name`, name, dns1123Label(name)));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
  }
  errors.push(
    ...invalids(`${path}.port`, port.port ?? 0, portNumber(port.port ?? 0)),
    ...oneOf(`${path}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']),
    ...validatePort(port.targetPort as number | string | undefined, `${path}.targetPort`),
  );
  if (appProtocol !== undefined)
    errors.push(...invalids(`${path}.appProtocol`, appProtocol, qualifiedName(appProtocol)));
  return errors;
}

function validatePorts(spec: Spec): FieldError[] {
  const { ports = [], type } = spec;
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(required('spec.ports'));
  ports.forEach((port, i) => {
    const at = `spec.ports[${i}]`;
    errors.push(...validateServicePort(port, at, ports.length > 1, names));
    if (port.nodePort) {
      if (type === 'ClusterIP') {
        errors.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
      }
      const key = `${port.protocol}/${port.nodePort}`;
      if (nodePorts.has(key)) errors.push(duplicate(`${at}.nodePort`, port.nodePort));
      nodePorts.add(key);
    }
    const key = `${port.protocol}/${port.port}`;
    if (numbers.has(key)) errors.push(duplicate(at, { port: port.port, protocol: port.protocol }));
    numbers.add(key);
  });
  return errors;
}

function validateType(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(spec)) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type !== 'ExternalName') return errors;
  const detail = 'may not be set for ExternalName services';
  if ((spec.clusterIPs?.length ?? 0) > 0) errors.push(forbiddenField('spec.clusterIPs', detail));
  if ((spec.ipFamilies?.length ?? 0) > 0) errors.push(forbiddenField('spec.ipFamilies', detail));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbiddenField('spec.ipFamilyPolicy', detail));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  errors.push(
    ...(name === '' ? [required('spec.externalName')] : invalids('spec.externalName', name, dns1123Subdomain(name))),
  );
  return errors;
}

function validateClusterIps(spec: Spec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const { clusterIP = '', clusterIPs: ips = [], ipFamilies: families = [], ipFamilyPolicy } = spec;
  const at = 'spec.clusterIPs';
  if (clusterIP !== '') {
    if (ips.length === 0) errors.push(required(at));
    else if (ips[0] !== clusterIP) errors.push(invalid(at, ips, 'first value must match `clusterIP`'));
  } else if (ips.length > 0) errors.push(invalid(at, ips, 'must be empty when `clusterIP` is not specified'));
  families.forEach((family, i) => {
    if (family !== 'IPv4' && family !== 'IPv6') {
      errors.push(notSupported(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']));
    }
    if (families.indexOf(family) < i) errors.push(duplicate(`spec.ipFamilies[${i}]`, family));
  });
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  errors.push(...optionalOneOf('spec.ipFamilyPolicy', ipFamilyPolicy, policies));
  let broken = false;
  ips.forEach((ip, i) => {
    if (i === 0 && ip === 'None') {
      if (ips.length > 1) {
        broken = true;
        errors.push(invalid(at, ips, "'None' must be the first and only value"));
      }
      return;
    }
    const reasons = ipReasons(ip);
    if (reasons.length > 0) broken = true;
    errors.push(...invalids(`${at}[${i}]`, ip, reasons));
  });
  if (ips.length > 2) errors.push(invalid(at, ips, 'may only hold up to 2 values'));
  if (broken) return errors;
  if (ips.length > 1 && !(ips.some(isIpv6) && ips.some((it) => !isIpv6(it)))) {
    errors.push(invalid(at, ips, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  ips.forEach((ip, i) => {
    const family = families[i];
    if (family !== undefined && (family === 'IPv6') !== isIpv6(ip)) {
      errors.push(invalid(`${at}[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``));
    }
  });
  return errors;
}

function validateAffinity(spec: Spec): FieldError[] {
  const { sessionAffinity, sessionAffinityConfig: config } = spec;
  const errors = oneOf('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  const at = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'ClientIP') {
    const when = 'when session affinity type is ClientIP';
    const seconds = config?.clientIP?.timeoutSeconds;
    if (!config) errors.push(required(at, when));
    else if (!config.clientIP) errors.push(required(`${at}.clientIP`, when));
    else if (seconds === undefined) errors.push(required(`${at}.clientIP.timeoutSeconds`, when));
    else if (seconds <= 0 || seconds > 86_400) {
      errors.push(
        invalid(`${at}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than or equal to 86400'),
      );
    }
  } else if (sessionAffinity === 'None' && config) {
    errors.push(forbiddenField(at, 'must not be set when session affinity is None'));
  }
  return errors;
}

/** External addresses are those of the world, not of this machine. */
function endpointIpReasons(ip: string): readonly string[] {
  if (ip === '0.0.0.0' || ip === '::') return ['may not be unspecified (0.0.0.0 or ::)'];
  if (ip.startsWith('127.') || ip === '::1') return ['may not be in the loopback range (127.0.0.0/8, ::1/128)'];
  if (ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip)) {
    return ['may not be in the link-local range (169.254.0.0/16, fe80::/10)'];
  }
  if (ip.startsWith('224.0.0.') || /^ff02:/i.test(ip)) {
    return ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'];
  }
  return [];
}

export function validateEndpointIp(ip: string, path: string): FieldError[] {
  const reasons = ipReasons(ip);
  return invalids(path, ip, reasons.length > 0 ? reasons : endpointIpReasons(ip));
}

function validateLoadBalancer(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  const isBalancer = spec.type === 'LoadBalancer';
  const only = "may only be used when `type` is 'LoadBalancer'";
  const errors: FieldError[] = [];
  if ((spec.loadBalancerSourceRanges?.length ?? 0) > 0) {
    if (!isBalancer) errors.push(forbiddenField('spec.LoadBalancerSourceRanges', only));
    spec.loadBalancerSourceRanges?.forEach((range, i) => {
      const value = range.trim();
      if (!isCidr(value)) {
        const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
        errors.push(invalid(`spec.LoadBalancerSourceRanges[${i}]`, value, detail));
      }
    });
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalancer) {
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', only));
  }
  if (spec.loadBalancerClass !== undefined) {
    const at = 'spec.loadBalancerClass';
    if (!isBalancer) errors.push(forbiddenField(at, only));
    else errors.push(...invalids(at, spec.loadBalancerClass, qualifiedName(spec.loadBalancerClass)));
  }
  return errors;
}

function validateTraffic(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const policy = spec.externalTrafficPolicy ?? '';
  if (isExternal(spec)) errors.push(...oneOf('spec.externalTrafficPolicy', policy, ['Cluster', 'Local']));
  else if (policy !== '') {
    const detail = 'may only be set for externally-accessible services';
    errors.push(invalid('spec.externalTrafficPolicy', policy, detail));
  }
  const health = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    if (health !== 0) {
      const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.push(invalid('spec.healthCheckNodePort', health, detail));
    }
  } else if (health === 0) errors.push(required('spec.healthCheckNodePort'));
  else errors.push(...invalids('spec.healthCheckNodePort', health, portNumber(health)));
  if (spec.internalTrafficPolicy === undefined && spec.type !== 'ExternalName') {
    errors.push(required('spec.internalTrafficPolicy'));
  }
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  return [
    ...errors,
    ...optionalOneOf('spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']),
    ...optionalOneOf('spec.trafficDistribution', spec.trafficDistribution, distributions),
  ];
}

/** A service, new or changed (validateService). */
export function validateService(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  return [
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, i) => validateEndpointIp(ip, `spec.externalIPs[${i}]`)),
    ...oneOf('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...validateLoadBalancer(service),
    ...validateTraffic(spec),
  ];
}

function validateIpChange(next: Spec, old: Spec): FieldError[] {
  if (next.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const before = old.clusterIPs ?? [];
  const after = next.clusterIPs ?? [];
  if (before.length > 0 && after.length > 0 && before[0] !== after[0]) {
    errors.push(invalid('spec.clusterIPs[0]', after[0] ?? '', 'may not change once set'));
  }
  if (before.length === 2 && after.length === 2 && before[1] !== after[1]) {
    errors.push(invalid('spec.clusterIPs[1]', after[1] ?? '', 'may not change once set'));
  }
  if (before.length > 0 && after.length === 0) {
    errors.push(invalid('spec.clusterIPs[0]', '', 'primary clusterIP can not be unset'));
  }
  if (before.length === 2 && after.length === 1 && next.ipFamilyPolicy !== 'SingleStack') {
    const detail = '`ipFamilyPolicy` must be set to `SingleStack` when releasing the secondary clusterIP';
    errors.push(invalid('spec.clusterIPs', after, detail));
  }
  const family = old.ipFamilies?.[0];
  if (family && next.ipFamilies?.[0] && family !== next.ipFamilies[0]) {
    errors.push(invalid('spec.ipFamilies[0]', next.ipFamilies[0], 'may not change once set'));
  }
  return errors;
}

export function validateServiceUpdate(next: Service, old: Service): FieldError[] {
  const spec = next.spec ?? {};
  const before = old.spec ?? {};
  const errors = validateIpChange(spec, before);
  if (spec.type === 'LoadBalancer' && before.type === 'LoadBalancer') {
    if (spec.loadBalancerClass !== before.loadBalancerClass) {
      errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
    }
  }
  if (needsHealthCheck(before) && needsHealthCheck(spec) && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    errors.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'));
  }
  return [...errors, ...validateService(next)];
}

export function validateServiceStatus({ status = {}, spec = {} }: Service): FieldError[] {
  const ingress = status.loadBalancer?.ingress ?? [];
  const at = 'status.loadBalancer.ingress';
  if (ingress.length > 0 && spec.type !== 'LoadBalancer') {
    return [forbiddenField(at, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap(({ ip, hostname, ipMode }, i) => [
    ...(ip ? invalids(`${at}[${i}].ip`, ip, ipReasons(ip)) : []),
    ...(ip && ipMode === undefined ? [required(`${at}[${i}].ipMode`, 'must be specified when `ip` is set')] : []),
    ...(hostname ? invalids(`${at}[${i}].hostname`, hostname, dns1123Subdomain(hostname)) : []),
  ]);
}
