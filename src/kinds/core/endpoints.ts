import { endpoints } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const endpointsKind = defineKind(endpoints, {});
