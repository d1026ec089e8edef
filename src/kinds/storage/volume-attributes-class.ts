import { volumeattributesclasses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const volumeAttributesClassKind = defineKind(volumeattributesclasses, {});
