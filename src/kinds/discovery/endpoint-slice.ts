import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../../api/field-error.ts';
import { endpointslices } from '../../api/generated/resources.ts';
import type { V1Endpoint, V1EndpointSlice } from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain, fullyQualifiedName, labelValue, qualifiedName } from '../../api/names.ts';
import { invalids, ipReasons, isIpv6, oneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { validateEndpointIp } from '../core/service-validation.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { validateLabels } from '../labels.ts';
import { immutable } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';

type Slice = Loose<V1EndpointSlice>;

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

function validateAddress(address: string, type: string | undefined, list: string, at: string): FieldError[] {
  if (type === 'FQDN') return invalids(at, address, fullyQualifiedName(address));
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  const reasons = ipReasons(address);
  if (reasons.length > 0) return invalids(at, address, reasons);
  const errors = validateEndpointIp(address, at);
  if (isIpv6(address) !== (type === 'IPv6')) errors.push(invalid(list, address, `must be an ${type} address`));
  return errors;
}

function validateEndpoint(endpoint: Loose<V1Endpoint>, type: string | undefined, path: string): FieldError[] {
  const { addresses = [], nodeName, hostname, hints, deprecatedTopology } = endpoint;
  const at = `${path}.addresses`;
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(at, 'must contain at least 1 address'));
  else if (addresses.length > 100) errors.push(tooMany(at, addresses.length, 100));
  addresses.forEach((it, i) => {
    errors.push(...validateAddress(it, type, at, `${at}[${i}]`));
  });
  if (nodeName !== undefined) errors.push(...invalids(`${path}.nodeName`, nodeName, dns1123Subdomain(nodeName)));
  errors.push(...validateLabels(deprecatedTopology, `${path}.deprecatedTopology`));
  if (hostname !== undefined) errors.push(...invalids(`${path}.hostname`, hostname, dns1123Label(hostname)));
  const zones = hints?.forZones ?? [];
  if (zones.length > 8) errors.push(tooMany(`${path}.hints.forZones`, zones.length, 8));
  else {
    zones.forEach(({ name = '' }, i) => {
      const where = `${path}.hints.forZones[${i}].name`;
      if (zones.findIndex((it) => it.name === name) < i) errors.push(duplicate(where, name));
      errors.push(...invalids(where, name, labelValue(name)));
    });
  }
  return errors;
}

function validateSlice(slice: Slice, old: Slice | undefined): FieldError[] {
  const { addressType, ports = [], endpoints = [] } = slice;
  const errors: FieldError[] = [];
  if (!addressType) errors.push(required('addressType'));
  else if (!addressTypes.includes(addressType)) errors.push(notSupported('addressType', addressType, addressTypes));
  if (ports.length > 20_000) errors.push(tooMany('ports', ports.length, 20_000));
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol, appProtocol }, i) => {
    const at = `ports[${i}]`;
    if (name !== '') errors.push(...invalids(`${at}.name`, name, dns1123Label(name)));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    errors.push(...oneOf(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']));
    if (appProtocol !== undefined)
      errors.push(...invalids(`${at}.appProtocol`, appProtocol, qualifiedName(appProtocol)));
  });
  if (old && semanticEqual(old.endpoints, endpoints)) return errors;
  if (endpoints.length > 1000) return [...errors, tooMany('endpoints', endpoints.length, 1000)];
  return [...errors, ...endpoints.flatMap((it, i) => validateEndpoint(it, addressType, `endpoints[${i}]`))];
}

const shown = 3;
const listed = (list: readonly string[]): string => {
  if (list.length === 0) return '<unset>';
  const head = list.slice(0, shown).join(',');
  return list.length > shown ? `${head} + ${list.length - shown} more...` : head;
};

const { column } = columnsOf<V1EndpointSlice>();

export const endpointSliceKind = defineKind(endpointslices, {
  defaults(slice) {
    slice.endpoints ??= [];
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  hasGeneration: true,
  validate: (slice) => validateSlice(slice, undefined),
  validateUpdate: (next, old) => [
    ...validateSlice(next, old),
    ...immutable(next.addressType, old.addressType, 'addressType'),
  ],
  columns: [
    nameColumn,
    column('AddressType', 'The type of address carried by this EndpointSlice.', (it) => it.addressType ?? ''),
    column('Ports', 'The network ports exposed by each endpoint in this slice.', (it) =>
      listed((it.ports ?? []).map((port) => (port.port === undefined ? (port.name ?? '*') : String(port.port)))),
    ),
    column('Endpoints', 'The unique endpoints in this slice.', (it) =>
      listed((it.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? [])),
    ),
    ageColumn,
  ],
});
