import { mutatingwebhookconfigurations } from '../../api/generated/resources.ts';
import type { V1MutatingWebhookConfiguration } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { defaultWebhook, validateWebhooks } from './admission-validation.ts';

const { column } = columnsOf<V1MutatingWebhookConfiguration>();

export const mutatingWebhookConfigurationKind = defineKind(mutatingwebhookconfigurations, {
  defaults({ webhooks = [] }) {
    for (const webhook of webhooks) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  hasGeneration: true,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns: [
    nameColumn,
    column(
      'Webhooks',
      'Webhooks indicates the number of webhooks registered in this configuration',
      (it) => it.webhooks?.length ?? 0,
      'integer',
    ),
    ageColumn,
  ],
});
