import { csidrivers } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const csiDriverKind = defineKind(csidrivers, {});
