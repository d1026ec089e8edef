import { podtemplates } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const podTemplateKind = defineKind(podtemplates, {});
