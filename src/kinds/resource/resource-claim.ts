import { resourceclaims } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const resourceClaimKind = defineKind(resourceclaims, {});
