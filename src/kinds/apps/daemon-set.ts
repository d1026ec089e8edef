import { daemonsets } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const daemonSetKind = defineKind(daemonsets, {});
