import { ingresses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const ingressKind = defineKind(ingresses, {});
