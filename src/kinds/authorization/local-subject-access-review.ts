import { localsubjectaccessreviews } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const localSubjectAccessReviewKind = defineKind(localsubjectaccessreviews, { virtual: true });
