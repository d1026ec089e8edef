import { prioritylevelconfigurations } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const priorityLevelConfigurationKind = defineKind(prioritylevelconfigurations, {});
