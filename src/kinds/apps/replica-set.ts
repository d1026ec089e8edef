import { replicasets } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const replicaSetKind = defineKind(replicasets, {});
