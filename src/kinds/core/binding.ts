import { bindings } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const bindingKind = defineKind(bindings, { virtual: true });
