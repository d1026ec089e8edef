import { services } from '../../api/generated/resources.ts';
import type { V1Service } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { formatLabels } from '../labels.ts';
import { labelName } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import {
  isExternal,
  isHeadless,
  needsHealthCheck,
  validateService,
  validateServiceStatus,
  validateServiceUpdate,
} from './service-validation.ts';

type Service = Loose<V1Service>;
type Spec = NonNullable<Service['spec']>;

function defaultService(service: Service): void {
  service.spec ??= {};
  service.status ??= {};
  service.status.loadBalancer ??= {};
  const { spec } = service;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    const target = port.targetPort as number | string | undefined;
    if (!target && port.port !== undefined) port.targetPort = port.port as never;
    if (port.nodePort === 0) delete port.nodePort;
  }
  if (isExternal(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of service.status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

/** Values that the server chose stay when the client leaves them out (patchAllocatedValues). */
function keepAllocated(next: Spec, old: Spec): void {
  const hasIp = (spec: Spec): boolean => spec.type !== 'ExternalName';
  const hasNodePorts = (spec: Spec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (hasIp(old) && hasIp(next)) {
    if (!next.clusterIP && old.clusterIP) {
      next.clusterIP = old.clusterIP;
      if (next.clusterIPs && next.clusterIPs.length > 0 && next.clusterIPs[0] !== old.clusterIP) return;
    }
    if ((next.clusterIPs?.length ?? 0) === 0 && next.clusterIP === old.clusterIP && old.clusterIPs) {
      next.clusterIPs = [...old.clusterIPs];
    }
  }
  if (hasNodePorts(old) && hasNodePorts(next)) {
    const taken = new Set((next.ports ?? []).map((it) => `${it.protocol}/${it.nodePort ?? 0}`));
    for (const port of next.ports ?? []) {
      if (port.nodePort) continue;
      const before = old.ports?.find((it) => it.port === port.port && it.protocol === port.protocol)?.nodePort;
      if (before && !taken.has(`${port.protocol}/${before}`)) port.nodePort = before;
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(next) && old.healthCheckNodePort) {
    next.healthCheckNodePort ||= old.healthCheckNodePort;
  }
}

/** The older clusterIP and clusterIPs say the same (normalizeClusterIPs). */
function normalizeClusterIps(next: Spec, old: Spec | undefined): void {
  if (!old) {
    if (next.clusterIP && (next.clusterIPs?.length ?? 0) === 0) next.clusterIPs = [next.clusterIP];
    return;
  }
  const listSame = semanticEqual(next.clusterIPs, old.clusterIPs);
  if (next.clusterIP === old.clusterIP || (!next.clusterIP && !old.clusterIP)) return;
  if (!old.clusterIP && next.clusterIP && listSame) next.clusterIPs = [next.clusterIP];
  else if (old.clusterIP && !next.clusterIP && listSame) delete next.clusterIPs;
  else if (listSame && next.clusterIP) next.clusterIPs = [next.clusterIP, ...(next.clusterIPs?.slice(1) ?? [])];
}

const has = (spec: Spec, types: readonly string[]): boolean => types.includes(spec.type ?? '');

/** When the type changes, fields that the old type needed and the new one forbids go with it (dropTypeDependentFields). */
function dropForeign(next: Spec, old: Spec): void {
  const withIp = ['ClusterIP', 'NodePort', 'LoadBalancer'];
  const withNodePort = ['NodePort', 'LoadBalancer'];
  if (has(old, withIp) && !has(next, withIp)) {
    if (semanticEqual(next.clusterIP, old.clusterIP)) delete next.clusterIP;
    if (semanticEqual(next.clusterIPs, old.clusterIPs)) delete next.clusterIPs;
    if (semanticEqual(next.ipFamilies, old.ipFamilies)) delete next.ipFamilies;
    if (semanticEqual(next.ipFamilyPolicy, old.ipFamilyPolicy)) delete next.ipFamilyPolicy;
  }
  const samePorts = semanticEqual(
    next.ports?.map((it) => it.nodePort ?? 0),
    old.ports?.map((it) => it.nodePort ?? 0),
  );
  if (has(old, withNodePort) && !has(next, withNodePort) && samePorts) {
    for (const port of next.ports ?? []) delete port.nodePort;
  }
  const leaves = (was: boolean, is: boolean, field: keyof Spec): void => {
    if (was && !is && semanticEqual(next[field], old[field])) delete next[field];
  };
  leaves(old.type === 'ExternalName', next.type === 'ExternalName', 'externalName');
  leaves(needsHealthCheck(old), needsHealthCheck(next), 'healthCheckNodePort');
  leaves(old.type === 'LoadBalancer', next.type === 'LoadBalancer', 'allocateLoadBalancerNodePorts');
  leaves(old.type === 'LoadBalancer', next.type === 'LoadBalancer', 'loadBalancerClass');
  leaves(isExternal(old), isExternal(next), 'externalTrafficPolicy');
  leaves(old.type === 'LoadBalancer', next.type === 'LoadBalancer', 'loadBalancerSourceRanges');
}

/** The EXTERNAL-IP cell. */
export function serviceExternalIp({ spec = {}, status = {} }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length > 0 ? external.join(',') : '<none>';
    case 'LoadBalancer': {
      const ingress = (status.loadBalancer?.ingress ?? []).map((it) => it.ip || it.hostname || '').filter(Boolean);
      const all = [...[...new Set(ingress)].sort(), ...external];
      return all.length > 0 ? all.join(',') : '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

const ports = ({ spec = {} }: Service): string =>
  (spec.ports ?? [])
    .map(({ port, nodePort, protocol }) => (nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`))
    .join(',') || '<none>';

const { column, wide } = columnsOf<V1Service>();

export const serviceKind = defineKind(services, {
  defaults: defaultService,
  onCreate(service) {
    service.status = { loadBalancer: {} };
    if (service.spec) normalizeClusterIps(service.spec, undefined);
  },
  onUpdate(next, old) {
    next.spec ??= {};
    const before = old.spec ?? {};
    keepAllocated(next.spec, before);
    normalizeClusterIps(next.spec, before);
    dropForeign(next.spec, before);
  },
  validateName: labelName,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateStatus: validateServiceStatus,
  warnings({ spec = {}, metadata = {} }) {
    const old = 'service.kubernetes.io/topology-aware-hints';
    const warnings: string[] = [];
    if (metadata.annotations?.[old] !== undefined) {
      warnings.push(`annotation ${old} is deprecated, please use service.kubernetes.io/topology-mode instead`);
    }
    if (!isHeadless(spec)) return warnings;
    const ignored = (field: string): string => `spec.${field} is ignored for headless services`;
    if (spec.loadBalancerIP) warnings.push(ignored('loadBalancerIP'));
    if ((spec.externalIPs?.length ?? 0) > 0) warnings.push(ignored('externalIPs'));
    if (spec.sessionAffinity !== 'None') warnings.push(ignored('SessionAffinity'));
    return warnings;
  },
  createOnUpdate: true,
  selectableFields: {
    'spec.clusterIP': (it) => it.spec?.clusterIP ?? '',
    'spec.type': (it) => it.spec?.type ?? '',
  },
  columns: [
    nameColumn,
    column('Type', 'How the Service is exposed.', (it) => it.spec?.type ?? ''),
    column('Cluster-IP', 'The IP address of the service.', (it) => it.spec?.clusterIPs?.[0] ?? '<none>'),
    column('External-IP', 'IP addresses for which nodes accept traffic for this service.', serviceExternalIp),
    column('Port(s)', 'The ports that are exposed by this service.', ports),
    ageColumn,
    wide('Selector', 'Labels of the pods that traffic is routed to.', (it) => formatLabels(it.spec?.selector)),
  ],
});
