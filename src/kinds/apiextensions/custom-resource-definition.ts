import { customresourcedefinitions } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const customResourceDefinitionKind = defineKind(customresourcedefinitions, {});
