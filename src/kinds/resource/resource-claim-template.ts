import { resourceclaimtemplates } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { immutable } from '../object-meta.ts';
import { defaultDevices } from './device-requests.ts';

export const resourceClaimTemplateKind = defineKind(resourceclaimtemplates, {
  defaults: ({ spec }) => defaultDevices(spec?.spec?.devices),
  validateUpdate: (next, old) => immutable(next.spec, old.spec, 'spec'),
});
