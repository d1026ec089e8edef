import { deviceclasses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const deviceClassKind = defineKind(deviceclasses, { hasGeneration: true });
