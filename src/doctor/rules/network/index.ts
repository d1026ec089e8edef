import type { Rule } from '../../rule.ts';
import { clusterDnsDown } from './cluster-dns-down.ts';
import { corednsConfiguration } from './coredns-configuration.ts';
import { dnsPolicyOutsideCluster } from './dns-policy-outside-cluster.ts';
import { egressPolicyBlocksDns } from './egress-policy-blocks-dns.ts';
import { headlessServiceMissing } from './headless-service-missing.ts';
import { ingressBackendMissing } from './ingress-backend-missing.ts';
import { loadBalancerPending } from './load-balancer-pending.ts';
import { serviceBackendsNotReady } from './service-backends-not-ready.ts';
import { servicePortUnmatched } from './service-port-unmatched.ts';
import { serviceSelectsNothing } from './service-selects-nothing.ts';

export const networkRules: readonly Rule[] = [
  clusterDnsDown,
  corednsConfiguration,
  dnsPolicyOutsideCluster,
  egressPolicyBlocksDns,
  headlessServiceMissing,
  ingressBackendMissing,
  loadBalancerPending,
  serviceBackendsNotReady,
  servicePortUnmatched,
  serviceSelectsNothing,
];
