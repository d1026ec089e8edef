import { runtimeclasses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const runtimeClassKind = defineKind(runtimeclasses, {});
