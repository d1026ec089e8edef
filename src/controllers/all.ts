import type { Resource } from '../api/resource.ts';
import type { Controller } from '../controller/controller.ts';
import type { KeyedCertificate } from '../pki/certificate.ts';
import { autoscalerController } from './autoscaler/autoscaler.ts';
import { bootstrapSigner } from './bootstrap-signer.ts';
import { certificateController } from './certificates/certificates.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation.ts';
import { cronJobController } from './cron-job/cron-job.ts';
import { daemonSetController } from './daemon-set/daemon-set.ts';
import { deploymentController } from './deployment/deployment.ts';
import { disruptionController } from './disruption.ts';
import { endpointSliceMirroringController } from './endpoint-slice-mirroring.ts';
import { endpointSliceController, endpointsController } from './endpoint-slices.ts';
import { garbageCollector } from './garbage-collector.ts';
import { jobController } from './job/job.ts';
import { loadBalancerController } from './load-balancer.ts';
import { namespaceController } from './namespace.ts';
import { rootCaController, serviceAccountController } from './namespace-defaults.ts';
import { nodeIpamController } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { nodeTtlController } from './node-ttl.ts';
import { podGcController } from './pod-gc.ts';
import { replicaSetController, replicationController } from './replica-set.ts';
import { type QuotaMeasure, resourceQuotaController } from './resource-quota.ts';
import { statefulSetController } from './stateful-set/stateful-set.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { tokenCleaner } from './token-cleaner.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';
import { volumeBinder } from './volumes/binder.ts';
import { ephemeralVolumeController } from './volumes/ephemeral.ts';
import { claimProtectionController, volumeProtectionController } from './volumes/protection.ts';

export interface ControllersOptions {
  /** Range of all pods, such as 10.244.0.0/16. */
  readonly clusterCidr: string;
  /** PEM of the cluster's authority. */
  readonly authority: string;
  /** The resources served at the moment, custom ones too. */
  readonly served: () => readonly Resource[];
  /** How objects are measured for quotas, as admission does; without it quotas are not kept. */
  readonly quotaMeasure?: QuotaMeasure;
  /** IPv4 range that Services of type LoadBalancer get their addresses from; without it none do. */
  readonly loadBalancerPool?: string;
  /** How long a node may be silent (--node-monitor-grace-period), milliseconds; default 50 seconds. */
  readonly nodeMonitorGraceMs?: number;
  /** Signs approved certificate requests; without it nothing is signed. */
  readonly signingAuthority?: KeyedCertificate;
  /** Where volumes of the class `local-path` live on their nodes; default /var/lib/coracle/volumes. */
  readonly volumeDirectory?: string;
  /** Removes what a deleted local volume held; undefined where that is not this process's to do. */
  readonly removeVolumeData?: (path: string) => Promise<void>;
}

/** Every controller of a cluster; they start in this order. */
export function allControllers(options: ControllersOptions): readonly Controller[] {
  return [
    namespaceController(options.served),
    serviceAccountController,
    rootCaController(options.authority),
    nodeIpamController(options.clusterCidr),
    nodeLifecycleController(options.nodeMonitorGraceMs),
    deploymentController,
    replicaSetController,
    replicationController,
    statefulSetController,
    daemonSetController(),
    jobController(),
    cronJobController,
    endpointSliceController,
    endpointsController,
    endpointSliceMirroringController,
    garbageCollector(options.served),
    podGcController,
    taintEvictionController(),
    nodeTtlController(),
    ttlAfterFinishedController,
    clusterRoleAggregationController,
    tokenCleaner,
    bootstrapSigner,
    ...(options.loadBalancerPool ? [loadBalancerController(options.loadBalancerPool)] : []),
    ...(options.signingAuthority ? [certificateController(options.signingAuthority)] : []),
    disruptionController(options.served),
    autoscalerController(options.served),
    ...(options.quotaMeasure ? [resourceQuotaController(options.quotaMeasure, options.served)] : []),
    volumeBinder({
      directory: options.volumeDirectory ?? '/var/lib/coracle/volumes',
      ...(options.removeVolumeData && { removeData: options.removeVolumeData }),
    }),
    claimProtectionController,
    volumeProtectionController,
    ephemeralVolumeController,
  ];
}
