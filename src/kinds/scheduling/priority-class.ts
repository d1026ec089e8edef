import { priorityclasses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const priorityClassKind = defineKind(priorityclasses, {});
