import { mutatingwebhookconfigurations } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const mutatingWebhookConfigurationKind = defineKind(mutatingwebhookconfigurations, {});
