import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { flowschemas } from '../../api/generated/resources.ts';
import type { V1FlowSchema } from '../../api/generated/types.ts';
import { dns1123Subdomain } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';

const { column } = columnsOf<V1FlowSchema>();

export const flowSchemaKind = defineKind(flowschemas, {
  defaults(schema) {
    schema.spec ??= {};
    schema.spec.matchingPrecedence ||= 1000;
  },
  hasGeneration: true,
  validate({ metadata = {}, spec = {} }) {
    const errors: FieldError[] = [];
    const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration } = spec;
    const at = 'spec.matchingPrecedence';
    if (precedence <= 0) errors.push(invalid(at, precedence, 'must be a positive value'));
    if (precedence > 10_000) errors.push(invalid(at, precedence, 'must not be greater than 10000'));
    if (precedence === 1 && metadata.name !== 'exempt') {
      errors.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
    }
    if (distinguisherMethod && !['ByNamespace', 'ByUser'].includes(distinguisherMethod.type ?? '')) {
      const type = distinguisherMethod.type ?? '';
      errors.push(notSupported('spec.distinguisherMethod', type, ['ByNamespace', 'ByUser']));
    }
    const name = priorityLevelConfiguration?.name ?? '';
    const where = 'spec.priorityLevelConfiguration.name';
    if (name === '') errors.push(required(where, 'must reference a priority level'));
    else errors.push(...invalids(where, name, dns1123Subdomain(name)));
    return errors;
  },
  columns: [
    nameColumn,
    column(
      'PriorityLevel',
      'The name of the priority level configuration being referenced.',
      (it) => it.spec?.priorityLevelConfiguration?.name ?? '',
    ),
    column('MatchingPrecedence', 'Lower values are matched first.', (it) => it.spec?.matchingPrecedence ?? 0),
    column('DistinguisherMethod', 'How flows are told apart.', (it) => it.spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    column(
      'MissingPL',
      'references a broken or non-existent PriorityLevelConfiguration',
      (it) => it.status?.conditions?.find((condition) => condition.type === 'Dangling')?.status ?? '?',
    ),
  ],
});
