import { ipaddresses } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const ipAddressKind = defineKind(ipaddresses, {});
