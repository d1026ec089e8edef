import { eventsEventsV1 } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const eventsEventKind = defineKind(eventsEventsV1, {});
