import { endpointslices } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const endpointSliceKind = defineKind(endpointslices, {});
