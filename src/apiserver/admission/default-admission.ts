import type { RbacAuthorizer } from '../authz/authorizer.ts';
import { escalationCheck } from '../authz/escalation.ts';
import type { AdmissionPlugin, ClusterDialer, ServerContext } from '../contracts.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { defaultTolerationSeconds, priority, runtimeClass, taintNodesByCondition } from './pod-defaults.ts';
import { podSecurity } from './pod-security/plugin.ts';
import { mutatingPolicies, validatingPolicies } from './policy/plugin.ts';
import { resourceQuota } from './resource-quota/plugin.ts';
import { serviceAccount } from './service-account.ts';
import type { AllocatorOptions } from './services/allocator.ts';
import { defaultServiceRanges, serviceAllocation } from './services/plugin.ts';
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from './storage.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhook/plugin.ts';

export interface AdmissionOptions {
  /** For the check that nobody grants more than they hold; absent: no such check. */
  readonly authorizer?: RbacAuthorizer;
  /** How webhooks behind Services are reached; absent: only those with a URL. */
  readonly cluster?: ClusterDialer;
  /** Default: 10.96.0.0/12 and 30000-32767. */
  readonly services?: Partial<AllocatorOptions>;
}

/** The plugins of a cluster, in upstream's order (pkg/kubeapiserver/options/plugins.go). */
export function defaultAdmission(context: ServerContext, options: AdmissionOptions = {}): readonly AdmissionPlugin[] {
  const { authorizer, cluster } = options;
  return [
    ...(authorizer ? [escalationCheck(authorizer)] : []),
    namespaceLifecycle(context),
    limitRanger(context),
    serviceAccount(context),
    nodeRestriction(context),
    taintNodesByCondition,
    podSecurity(context),
    priority(context),
    defaultTolerationSeconds,
    defaultStorageClass(context),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(context),
    runtimeClass(context),
    certificateApproval(context),
    certificateSigning(context),
    certificateSubjectRestriction,
    defaultIngressClass(context),
    mutatingPolicies(context),
    mutatingWebhooks(context, cluster),
    serviceAllocation(context, { ...defaultServiceRanges, ...options.services }),
    validatingPolicies(context),
    validatingWebhooks(context, cluster),
    resourceQuota(context),
  ];
}
