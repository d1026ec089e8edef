import { selfsubjectaccessreviews } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const selfSubjectAccessReviewKind = defineKind(selfsubjectaccessreviews, { virtual: true });
