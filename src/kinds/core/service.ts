import { services } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const serviceKind = defineKind(services, {});
