import { validatingwebhookconfigurations } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const validatingWebhookConfigurationKind = defineKind(validatingwebhookconfigurations, {});
