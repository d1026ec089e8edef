import { jobs } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const jobKind = defineKind(jobs, {});
