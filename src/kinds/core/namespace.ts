import { namespaces } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const namespaceKind = defineKind(namespaces, {});
