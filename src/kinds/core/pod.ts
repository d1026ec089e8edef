import { pods } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const podKind = defineKind(pods, {});
