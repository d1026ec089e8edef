import { nodes } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const nodeKind = defineKind(nodes, {});
