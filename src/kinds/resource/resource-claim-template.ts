import { resourceclaimtemplates } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const resourceClaimTemplateKind = defineKind(resourceclaimtemplates, {});
