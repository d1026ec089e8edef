import { resourcequotas } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const resourceQuotaKind = defineKind(resourcequotas, {});
