import { serviceaccounts } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const serviceAccountKind = defineKind(serviceaccounts, {});
