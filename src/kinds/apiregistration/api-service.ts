import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { apiservices } from '../../api/generated/resources.ts';
import type { V1APIService } from '../../api/generated/types.ts';
import { dns1035Label, portNumber } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { pathName } from '../object-meta.ts';

const { column } = columnsOf<V1APIService>();

export const apiServiceKind = defineKind(apiservices, {
  defaults(it) {
    it.spec ??= {};
    it.status ??= {};
    if (it.spec.service) it.spec.service.port ??= 443;
  },
  onCreate(it) {
    // An API that this server serves itself is there from the start.
    it.status = it.spec?.service
      ? {}
      : {
          conditions: [
            { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' },
          ],
        };
  },
  validateName: pathName,
  validate({ metadata = {}, spec = {} }) {
    const errors: FieldError[] = [];
    const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service, caBundle } = spec;
    const expected = `${version}.${group}`;
    if (metadata.name !== expected && !(group === '' && metadata.name === `${version}.`)) {
      const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`;
      errors.push(invalid('metadata.name', metadata.name ?? '', detail));
    }
    if (version === '') errors.push(required('spec.version'));
    else errors.push(...invalids('spec.version', version, dns1035Label(version)));
    if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
      const detail = 'must be positive and less than 20000';
      errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, detail));
    }
    if (versionPriority <= 0 || versionPriority > 1000) {
      errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
    }
    if (!service) {
      if (caBundle)
        errors.push(invalid('spec.caBundle', `${caBundle.length} bytes`, 'local APIServices may not have a caBundle'));
      if (spec.insecureSkipTLSVerify) {
        const detail = 'local APIServices may not have insecureSkipTLSVerify';
        errors.push(invalid('spec.insecureSkipTLSVerify', true, detail));
      }
      return errors;
    }
    if (!service.namespace) errors.push(required('spec.service.namespace'));
    if (!service.name) errors.push(required('spec.service.name'));
    errors.push(...invalids('spec.service.port', service.port ?? 0, portNumber(service.port ?? 0)));
    if (spec.insecureSkipTLSVerify && caBundle) {
      errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
    }
    return errors;
  },
  columns: [
    nameColumn,
    column('Service', 'The reference to the service that hosts this API endpoint.', ({ spec = {} }) =>
      spec.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local',
    ),
    column('Available', 'Whether this service is available.', ({ status = {} }) => {
      const condition = status.conditions?.find((it) => it.type === 'Available');
      if (!condition) return 'Unknown';
      return condition.status === 'True' ? 'True' : `${condition.status ?? ''} (${condition.reason ?? ''})`;
    }),
    ageColumn,
  ],
});
