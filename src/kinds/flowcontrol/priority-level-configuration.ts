import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import { prioritylevelconfigurations } from '../../api/generated/resources.ts';
import type { V1PriorityLevelConfiguration } from '../../api/generated/types.ts';
import { nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';

type Level = Loose<V1PriorityLevelConfiguration>;

function validateLevel({ spec = {} }: Level): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '', limited, exempt } = spec;
  if (type !== 'Exempt' && type !== 'Limited') return [notSupported('spec.type', type, ['Exempt', 'Limited'])];
  if (type === 'Exempt') {
    if (limited) errors.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'));
    return [...errors, ...nonNegative('spec.exempt.nominalConcurrencyShares', exempt?.nominalConcurrencyShares)];
  }
  if (exempt) errors.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'));
  if (!limited) return [...errors, required('spec.limited', 'must not be empty when type is Limited')];
  const response = limited.limitResponse ?? {};
  const at = 'spec.limited';
  const { lendablePercent = 0 } = limited;
  errors.push(...nonNegative(`${at}.nominalConcurrencyShares`, limited.nominalConcurrencyShares));
  if (lendablePercent < 0 || lendablePercent > 100) {
    errors.push(invalid(`${at}.lendablePercent`, lendablePercent, 'must be between 0 and 100, inclusive'));
  }
  if (response.type === 'Reject') {
    if (response.queuing) {
      errors.push(
        forbiddenField(`${at}.limitResponse.queuing`, 'must be nil if limited.limitResponse.type is not Limited'),
      );
    }
  } else if (response.type !== 'Queue') {
    errors.push(notSupported(`${at}.limitResponse.type`, response.type ?? '', ['Queue', 'Reject']));
  } else if (!response.queuing) {
    const detail = 'must not be empty if limited.limitResponse.type is Limited';
    errors.push(required(`${at}.limitResponse.queuing`, detail));
  }
  return errors;
}

const { column } = columnsOf<V1PriorityLevelConfiguration>();
const queuing = (it: Level) => it.spec?.limited?.limitResponse?.queuing;

export const priorityLevelConfigurationKind = defineKind(prioritylevelconfigurations, {
  defaults({ spec }) {
    if (spec?.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (!spec?.limited) return;
    spec.limited.nominalConcurrencyShares ??= 30;
    spec.limited.lendablePercent ??= 0;
    const queues = spec.limited.limitResponse?.queuing;
    if (!queues) return;
    queues.handSize ||= 8;
    queues.queues ||= 64;
    queues.queueLengthLimit ||= 50;
  },
  hasGeneration: true,
  validate: validateLevel,
  columns: [
    nameColumn,
    column('Type', 'Whether requests of this level are limited.', (it) => it.spec?.type ?? ''),
    column(
      'NominalConcurrencyShares',
      'The share of the server that belongs to this level.',
      (it) => it.spec?.limited?.nominalConcurrencyShares ?? '<none>',
    ),
    column('Queues', 'The number of queues.', (it) => queuing(it)?.queues ?? '<none>'),
    column('HandSize', 'How many queues a flow is dealt.', (it) => queuing(it)?.handSize ?? '<none>'),
    column('QueueLengthLimit', 'How many requests may wait.', (it) => queuing(it)?.queueLengthLimit ?? '<none>'),
    ageColumn,
  ],
});
