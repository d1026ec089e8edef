import { type FieldError, required } from '../../api/field-error.ts';
import { endpoints } from '../../api/generated/resources.ts';
import type { V1Endpoints } from '../../api/generated/types.ts';
import { dns1123Label, portNumber } from '../../api/names.ts';
import { invalids, oneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { validateEndpointIp } from './service-validation.ts';

type Endpoints = Loose<V1Endpoints>;

const shown = 3;
const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

function format({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return '<none>';
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map((it) => it.ip ?? '')
      : ports.flatMap(({ port = 0 }) => addresses.map((it) => hostPort(it.ip ?? '', port))),
  );
  const list = all.slice(0, shown).join(',');
  return all.length > shown ? `${list} + ${all.length - shown} more...` : list;
}

function validate({ subsets = [] }: Endpoints): FieldError[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const at = `subsets[${i}]`;
    const errors: FieldError[] = [];
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [field, list] of [
      ['addresses', addresses],
      ['notReadyAddresses', notReadyAddresses],
    ] as const) {
      list.forEach(({ ip = '', hostname }, j) => {
        errors.push(...validateEndpointIp(ip, `${at}.${field}[${j}].ip`));
        if (hostname) errors.push(...invalids(`${at}.${field}[${j}].hostname`, hostname, dns1123Label(hostname)));
      });
    }
    ports.forEach(({ name = '', port = 0, protocol }, j) => {
      const where = `${at}.ports[${j}]`;
      if (name === '') {
        if (ports.length > 1) errors.push(required(`${where}.name`));
      } else errors.push(...invalids(`${where}.name`, name, dns1123Label(name)));
      errors.push(
        ...invalids(`${where}.port`, port, portNumber(port)),
        ...oneOf(`${where}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']),
      );
    });
    return errors;
  });
}

const { column } = columnsOf<V1Endpoints>();

export const endpointsKind = defineKind(endpoints, {
  defaults({ subsets = [] }) {
    for (const subset of subsets) for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
  },
  validate,
  warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  createOnUpdate: true,
  columns: [
    nameColumn,
    column('Endpoints', 'The set of all endpoints is the union of all subsets.', format),
    ageColumn,
  ],
});
