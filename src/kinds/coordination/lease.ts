import { leases } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const leaseKind = defineKind(leases, {});
