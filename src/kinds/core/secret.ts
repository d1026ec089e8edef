import { secrets } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const secretKind = defineKind(secrets, {});
