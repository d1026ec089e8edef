import { persistentvolumes } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const persistentVolumeKind = defineKind(persistentvolumes, {});
