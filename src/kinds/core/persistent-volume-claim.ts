import { persistentvolumeclaims } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const persistentVolumeClaimKind = defineKind(persistentvolumeclaims, {});
