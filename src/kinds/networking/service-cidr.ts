import { servicecidrs } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const serviceCidrKind = defineKind(servicecidrs, {});
