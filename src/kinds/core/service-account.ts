import { serviceaccounts } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';

export const serviceAccountKind = defineKind(serviceaccounts, {
  warnings(account, old) {
    const key = 'kubernetes.io/enforce-mountable-secrets';
    if (account.metadata?.annotations?.[key] !== 'true' || old?.metadata?.annotations?.[key] === 'true') return [];
    return [
      `metadata.annotations[${key}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
    ];
  },
});
