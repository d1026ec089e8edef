import { flowschemas } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const flowSchemaKind = defineKind(flowschemas, {});
