import { cronjobs } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const cronJobKind = defineKind(cronjobs, {});
