import { type FieldError, invalid } from '../../../api/field-error.ts';
import { ipaddresses, services } from '../../../api/generated/resources.ts';
import type { V1IPAddress, V1Service, V1ServiceSpec } from '../../../api/generated/types.ts';
import type { Live } from '../../../api/resource.ts';
import { hasReason, internalError, invalidObject, type StatusError } from '../../../api/status.ts';
import type { Loose } from '../../../kinds/draft.ts';
import { loopbackUser } from '../../authz/loopback.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../../contracts.ts';
import { draftOf, isFor } from '../request.ts';
import { familyOf } from './addresses.ts';
import { type Allocator, type AllocatorOptions, createAllocator, type Family, type Owner } from './allocator.ts';
import { carryOver, needsAddress, needsHealthPort, needsNodePort } from './carry-over.ts';

export const defaultServiceRanges: AllocatorOptions = {
  serviceCidrs: ['10.96.0.0/12'],
  nodePorts: { first: 30000, last: 32767 },
};

const refuse = (service: Loose<V1Service>, ...errors: readonly FieldError[]): StatusError =>
  invalidObject('', 'Service', service.metadata?.name ?? '', errors);

/** A Service without a selector and without an address: its endpoints decide, so both families are assumed. */
const headlessSelectorless = (spec: Loose<V1ServiceSpec>): boolean =>
  spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;

const other = (family: string | undefined): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/** Fills in ipFamilyPolicy and ipFamilies (alloc.go, initIPFamilyFields). */
function fillFamilies(service: Loose<V1Service>, old: V1ServiceSpec | undefined, families: readonly Family[]): void {
  const spec = service.spec ?? {};
  const first: Family = families[0] ?? 'IPv4';
  if (!needsAddress(spec)) return;
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (headlessSelectorless(spec) ? 'RequireDualStack' : 'SingleStack');
  const policy = spec.ipFamilyPolicy;
  if (old && policy === 'SingleStack') {
    if ((spec.clusterIPs ?? []).length > 1 && (old.clusterIPs ?? []).length > 1) {
      spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? [];
    }
    if ((spec.ipFamilies ?? []).length > 1 && (old.ipFamilies ?? []).length > 1) {
      spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? [];
    }
  }
  const errors: FieldError[] = [];
  if (policy === 'SingleStack') {
    const must = (what: string): string =>
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
    if ((spec.clusterIPs ?? []).length === 2) errors.push(invalid('spec.ipFamilyPolicy', policy, must('cluster IPs')));
    if ((spec.ipFamilies ?? []).length === 2) errors.push(invalid('spec.ipFamilyPolicy', policy, must('IP families')));
  }
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === 'None') break;
    const family = familyOf(address);
    if (family === undefined || index < (spec.ipFamilies ?? []).length) continue;
    if (families.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else {
      errors.push(invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`));
    }
  }
  if (errors.length > 0) throw refuse(service, ...errors);
  if (headlessSelectorless(spec)) {
    if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = [first];
    if (policy !== 'SingleStack' && (spec.ipFamilies ?? []).length < 2) {
      spec.ipFamilies = [...(spec.ipFamilies ?? []), other(spec.ipFamilies?.[0])];
    }
    return;
  }
  if (policy === 'RequireDualStack' && families.length < 2) {
    errors.push(invalid('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services'));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!families.some((known) => known === family)) {
      errors.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
    }
  }
  if (errors.length > 0) throw refuse(service, ...errors);
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = [first];
  if (policy !== 'SingleStack' && spec.ipFamilies?.length === 1 && families.length === 2) {
    spec.ipFamilies = [...spec.ipFamilies, other(spec.ipFamilies[0])];
  }
}

function allocateAddresses(
  service: Loose<V1Service>,
  old: V1ServiceSpec | undefined,
  owner: Owner,
  allocator: Allocator,
): void {
  const spec = service.spec ?? {};
  if (!needsAddress(spec) || spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None') return;
  const addresses = [...(spec.clusterIPs ?? [])];
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const asked = addresses[index];
    if (asked && old?.clusterIPs?.includes(asked)) continue;
    if (asked) {
      // What is no address at all is left to validation.
      if (familyOf(asked) === undefined) continue;
      const refusal = allocator.takeAddress(owner, asked);
      if (refusal) {
        throw refuse(
          service,
          invalid('spec.clusterIPs', addresses, `failed to allocate IP ${asked}: ${refusal.refused}`),
        );
      }
      continue;
    }
    const drawn = allocator.nextAddress(owner, family === 'IPv6' ? 'IPv6' : 'IPv4');
    if (typeof drawn !== 'string') {
      throw internalError(
        `failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata?.name ?? '')}: ${drawn.refused}`,
      );
    }
    addresses[index] = drawn;
  }
  spec.clusterIPs = addresses;
  if (addresses[0] !== undefined && !spec.clusterIP) spec.clusterIP = addresses[0];
}

function allocatePorts(
  service: Loose<V1Service>,
  old: V1ServiceSpec | undefined,
  owner: Owner,
  allocator: Allocator,
): void {
  const spec = service.spec ?? {};
  const before = new Set([...(old?.ports ?? []).map((port) => port.nodePort ?? 0), old?.healthCheckNodePort ?? 0]);
  const mine = new Set<number>();
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    /** One node port serves all protocols of a port number. */
    const byPort = new Map<number, number>();
    for (const port of spec.ports ?? []) if (port.nodePort) byPort.set(port.port ?? 0, port.nodePort);
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (!port.nodePort && !needsNodePort(spec)) continue;
      const wanted = port.nodePort || byPort.get(port.port ?? 0);
      if (wanted) {
        port.nodePort = wanted;
        if (before.has(wanted) || mine.has(wanted)) continue;
        const refusal = allocator.takePort(owner, wanted);
        if (refusal) throw refuse(service, invalid(`spec.ports[${index}].nodePort`, wanted, refusal.refused));
        mine.add(wanted);
        continue;
      }
      const drawn = allocator.nextPort(owner);
      if (typeof drawn !== 'number') throw internalError(`failed to allocate a nodePort: ${drawn.refused}`);
      port.nodePort = drawn;
      mine.add(drawn);
      byPort.set(port.port ?? 0, drawn);
    }
  }
  if (!needsHealthPort(spec)) return;
  const asked = spec.healthCheckNodePort;
  if (asked) {
    if (before.has(asked)) return;
    const refusal = allocator.takePort(owner, asked);
    if (refusal) throw internalError(`failed to allocate requested HealthCheck NodePort ${asked}: ${refusal.refused}`);
    return;
  }
  const drawn = allocator.nextPort(owner);
  if (typeof drawn !== 'number') throw internalError(`failed to allocate a HealthCheck NodePort 0: ${drawn.refused}`);
  spec.healthCheckNodePort = drawn;
}

const ownerOf = (request: AdmissionRequest): Owner => {
  const { name } = draftOf<V1Service>(request).metadata ?? {};
  // The name that a prefix has been given later does not change who took.
  return request.operation === 'UPDATE' || !draftOf<V1Service>(request).metadata?.generateName
    ? `${request.namespace ?? ''}/${name ?? ''}`
    : (request.object ?? {});
};

/** Keeps an IPAddress object for every cluster address in use, as the MultiCIDR allocator does. */
function followAddresses(context: ServerContext): void {
  const of = (service: Live<V1Service> | undefined): readonly string[] =>
    (service?.spec?.clusterIPs ?? []).filter((address) => familyOf(address) !== undefined);
  const send = async (verb: 'create' | 'delete', name: string, service: Live<V1Service>): Promise<void> => {
    const { group, version, plural } = ipaddresses;
    const { namespace = '', name: owner } = service.metadata;
    const body: V1IPAddress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name,
        labels: {
          'ipaddress.kubernetes.io/ip-family': familyOf(name) ?? '',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { group: '', resource: 'services', namespace, name: owner } },
    };
    try {
      await context.dispatch({
        verb,
        group,
        version,
        resource: plural,
        options: {},
        user: loopbackUser,
        ...(verb === 'delete' && { name }),
        ...(verb === 'create' && { body }),
      });
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists') && !hasReason(error, 'NotFound')) {
        context.log.warn('an IPAddress could not be kept in step with its Service', { address: name, error });
      }
    }
  };
  context.reader.subscribe(services, ({ type, object, old }) => {
    const after = type === 'DELETED' ? [] : of(object);
    const before = type === 'DELETED' ? of(object) : of(old);
    for (const address of after) if (!before.includes(address)) void send('create', address, object);
    for (const address of before) if (!after.includes(address)) void send('delete', address, object);
  });
}

/**
 * Gives Services their cluster addresses and node ports (pkg/registry/core/service/storage/alloc.go). Part of the kind's storage upstream,
 * where it comes before validation too; here it is the last mutating plugin.
 */
export function serviceAllocation(
  context: ServerContext,
  options: AllocatorOptions = defaultServiceRanges,
): AdmissionPlugin {
  const allocator = createAllocator(context, options);
  followAddresses(context);
  return {
    name: 'ServiceAllocation',
    resources: ['services'],
    admit(request: AdmissionRequest) {
      if (!isFor(request, '', 'services') || !request.object) return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const service = draftOf<V1Service>(request);
      service.spec ??= {};
      const old = (request.old as Live<V1Service> | undefined)?.spec;
      const owner = ownerOf(request);
      carryOver(service.spec, old);
      try {
        fillFamilies(service, old, allocator.families);
        allocateAddresses(service, old, owner, allocator);
        allocatePorts(service, old, owner, allocator);
      } catch (error) {
        allocator.release(owner);
        throw error;
      }
      if (request.dryRun) allocator.release(owner);
    },
    rollback(request) {
      if (request.object && isFor(request, '', 'services')) allocator.release(ownerOf(request));
    },
  };
}
