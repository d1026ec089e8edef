import { deployments } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const deploymentKind = defineKind(deployments, {});
