import type { Resource } from '../api/resource.ts';
import type { Controller } from '../controller/controller.ts';
import { cronJobController } from './cron-job/cron-job.ts';
import { daemonSetController } from './daemon-set/daemon-set.ts';
import { deploymentController } from './deployment/deployment.ts';
import { endpointSliceController, endpointsController } from './endpoint-slices.ts';
import { garbageCollector } from './garbage-collector.ts';
import { jobController } from './job/job.ts';
import { namespaceController } from './namespace.ts';
import { rootCaController, serviceAccountController } from './namespace-defaults.ts';
import { nodeIpamController } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGcController } from './pod-gc.ts';
import { replicaSetController, replicationController } from './replica-set.ts';
import { statefulSetController } from './stateful-set/stateful-set.ts';

export interface ControllersOptions {
  /** Range of all pods, such as 10.244.0.0/16. */
  readonly clusterCidr: string;
  /** PEM of the cluster's authority. */
  readonly authority: string;
  /** The resources served at the moment, custom ones too. */
  readonly served: () => readonly Resource[];
}

/** Every controller of a cluster; they start in this order. */
export function allControllers(options: ControllersOptions): readonly Controller[] {
  return [
    namespaceController(options.served),
    serviceAccountController,
    rootCaController(options.authority),
    nodeIpamController(options.clusterCidr),
    nodeLifecycleController,
    deploymentController,
    replicaSetController,
    replicationController,
    statefulSetController,
    daemonSetController(),
    jobController(),
    cronJobController,
    endpointSliceController,
    endpointsController,
    garbageCollector(options.served),
    podGcController,
  ];
}
