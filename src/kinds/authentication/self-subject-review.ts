import { selfsubjectreviews } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const selfSubjectReviewKind = defineKind(selfsubjectreviews, { virtual: true });
