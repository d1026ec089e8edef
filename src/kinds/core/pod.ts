import { pods } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { podColumns } from './pod-columns.ts';
import { defaultPod } from './pod-defaults.ts';

export const podKind = defineKind(pods, { defaults: defaultPod, columns: podColumns });
