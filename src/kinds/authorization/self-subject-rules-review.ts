import { selfsubjectrulesreviews } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const selfSubjectRulesReviewKind = defineKind(selfsubjectrulesreviews, { virtual: true });
