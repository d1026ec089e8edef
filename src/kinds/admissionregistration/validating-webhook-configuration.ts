import { validatingwebhookconfigurations } from '../../api/generated/resources.ts';
import type { V1ValidatingWebhookConfiguration } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { defaultWebhook, validateWebhooks } from './admission-validation.ts';

const { column } = columnsOf<V1ValidatingWebhookConfiguration>();

export const validatingWebhookConfigurationKind = defineKind(validatingwebhookconfigurations, {
  defaults({ webhooks = [] }) {
    for (const webhook of webhooks) {
      defaultWebhook(webhook);
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
