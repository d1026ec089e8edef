import { volumeattachments } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const volumeAttachmentKind = defineKind(volumeattachments, {});
