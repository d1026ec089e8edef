import { csistoragecapacities } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const csiStorageCapacityKind = defineKind(csistoragecapacities, {});
