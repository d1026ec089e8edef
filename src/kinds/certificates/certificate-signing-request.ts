import { certificatesigningrequests } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const certificateSigningRequestKind = defineKind(certificatesigningrequests, {});
