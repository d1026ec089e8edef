import { replicationcontrollers } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const replicationControllerKind = defineKind(replicationcontrollers, {});
