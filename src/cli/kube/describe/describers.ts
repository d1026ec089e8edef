import type { KubeObject, Resource } from '../../../api/resource.ts';
import { describeIpAddress, describeServiceCidr } from './addresses.ts';
import { describeCertificateSigningRequest } from './certificate-signing-request.ts';
import { describeConfigMap, describeSecret } from './config.ts';
import { describeDaemonSet } from './daemon-set.ts';
import { describeDeployment } from './deployment.ts';
import type { Describer } from './describer.ts';
import { describeEndpointSlice, describeEndpoints } from './endpoints.ts';
import { describeAny } from './generic.ts';
import { describeHorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { describeIngress, describeIngressClass } from './ingress.ts';
import { describeCronJob, describeJob } from './job.ts';
import { describeLimitRange, describeResourceQuota } from './limits.ts';
import { describeNamespace } from './namespace.ts';
import { describeNetworkPolicy } from './network-policy.ts';
import { describeNode } from './node.ts';
import { describePersistentVolume } from './persistent-volume.ts';
import { describePersistentVolumeClaim } from './persistent-volume-claim.ts';
import { describePod } from './pod.ts';
import { describePodDisruptionBudget, describePriorityClass } from './policy.ts';
import { describeRole, describeRoleBinding } from './rbac.ts';
import { describeReplicaSet } from './replica-set.ts';
import { describeReplicationController } from './replication-controller.ts';
import { describeService } from './service.ts';
import { describeServiceAccount } from './service-account.ts';
import { describeStatefulSet } from './stateful-set.ts';
import { describeCsiNode, describeStorageClass } from './storage.ts';

/** Forgets what an object's type is: the kind that it is looked up by says so. */
const any = <T extends KubeObject>(describer: Describer<T>): Describer => describer as unknown as Describer;

const byKind: ReadonlyMap<string, Describer> = new Map([
  ['/ConfigMap', any(describeConfigMap)],
  ['/Endpoints', any(describeEndpoints)],
  ['/LimitRange', any(describeLimitRange)],
  ['/Namespace', any(describeNamespace)],
  ['/Node', any(describeNode)],
  ['/PersistentVolume', any(describePersistentVolume)],
  ['/PersistentVolumeClaim', any(describePersistentVolumeClaim)],
  ['/Pod', any(describePod)],
  ['/ReplicationController', any(describeReplicationController)],
  ['/ResourceQuota', any(describeResourceQuota)],
  ['/Secret', any(describeSecret)],
  ['/Service', any(describeService)],
  ['/ServiceAccount', any(describeServiceAccount)],
  ['apps/DaemonSet', any(describeDaemonSet)],
  ['apps/Deployment', any(describeDeployment)],
  ['apps/ReplicaSet', any(describeReplicaSet)],
  ['apps/StatefulSet', any(describeStatefulSet)],
  ['autoscaling/HorizontalPodAutoscaler', any(describeHorizontalPodAutoscaler)],
  ['batch/CronJob', any(describeCronJob)],
  ['batch/Job', any(describeJob)],
  ['certificates.k8s.io/CertificateSigningRequest', any(describeCertificateSigningRequest)],
  ['discovery.k8s.io/EndpointSlice', any(describeEndpointSlice)],
  ['networking.k8s.io/IPAddress', any(describeIpAddress)],
  ['networking.k8s.io/Ingress', any(describeIngress)],
  ['networking.k8s.io/IngressClass', any(describeIngressClass)],
  ['networking.k8s.io/NetworkPolicy', any(describeNetworkPolicy)],
  ['networking.k8s.io/ServiceCIDR', any(describeServiceCidr)],
  ['policy/PodDisruptionBudget', any(describePodDisruptionBudget)],
  ['rbac.authorization.k8s.io/ClusterRole', any(describeRole)],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', any(describeRoleBinding)],
  ['rbac.authorization.k8s.io/Role', any(describeRole)],
  ['rbac.authorization.k8s.io/RoleBinding', any(describeRoleBinding)],
  ['scheduling.k8s.io/PriorityClass', any(describePriorityClass)],
  ['storage.k8s.io/CSINode', any(describeCsiNode)],
  ['storage.k8s.io/StorageClass', any(describeStorageClass)],
]);

/** The page of a resource's objects: its own, or the one for any kind. */
export const describerFor = ({ group, kind }: Resource): Describer => byKind.get(`${group}/${kind}`) ?? describeAny;
