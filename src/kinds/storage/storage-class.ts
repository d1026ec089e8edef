import { storageclasses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const storageClassKind = defineKind(storageclasses, {});
