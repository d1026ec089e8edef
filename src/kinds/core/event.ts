import { events } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const eventKind = defineKind(events, {});
