import { subjectaccessreviews } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const subjectAccessReviewKind = defineKind(subjectaccessreviews, { virtual: true });
