import { ingressclasses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const ingressClassKind = defineKind(ingressclasses, {});
