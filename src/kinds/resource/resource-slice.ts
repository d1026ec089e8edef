import { resourceslices } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const resourceSliceKind = defineKind(resourceslices, {});
