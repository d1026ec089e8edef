import { apiservices } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const apiServiceKind = defineKind(apiservices, {});
