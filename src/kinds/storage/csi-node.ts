import { csinodes } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const csiNodeKind = defineKind(csinodes, {});
