import { controllerrevisions } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const controllerRevisionKind = defineKind(controllerrevisions, {});
