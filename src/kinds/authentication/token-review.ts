import { tokenreviews } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const tokenReviewKind = defineKind(tokenreviews, { virtual: true });
