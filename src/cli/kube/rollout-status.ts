import type { V1DaemonSet, V1Deployment, V1StatefulSet } from '../../api/generated/types.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import { KubectlError } from './errors.ts';

/** Where a rollout stands, in kubectl's words. */
export interface RolloutState {
  readonly message: string;
  readonly done: boolean;
}

const waiting = (message: string): RolloutState => ({ message, done: false });
const finished = (message: string): RolloutState => ({ message, done: true });
const observed = ({ metadata }: KubeObject, generation: number | undefined): boolean =>
  (metadata?.generation ?? 0) <= (generation ?? 0);

function deploymentState(object: V1Deployment, revision: number): RolloutState {
  const { metadata, spec, status } = object;
  const name = `deployment "${metadata?.name}"`;
  const current = Number(metadata?.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  if (revision > 0 && revision !== current)
    throw new KubectlError(`desired revision (${revision}) is different from the running revision (${current})`);
  if (!observed(object, status?.observedGeneration))
    return waiting('Waiting for deployment spec update to be observed...');
  const progress = status?.conditions?.find((condition) => condition.type === 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') throw new KubectlError(`${name} exceeded its progress deadline`);
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = status ?? {};
  const begin = `Waiting for ${name} rollout to finish: `;
  if (updated < (spec?.replicas ?? 1))
    return waiting(`${begin}${updated} out of ${spec?.replicas} new replicas have been updated...`);
  if (replicas > updated) return waiting(`${begin}${replicas - updated} old replicas are pending termination...`);
  if (available < updated) return waiting(`${begin}${available} of ${updated} updated replicas are available...`);
  return finished(`${name} successfully rolled out`);
}

function daemonSetState(object: V1DaemonSet): RolloutState {
  const { metadata, spec, status } = object;
  if (spec?.updateStrategy?.type !== 'RollingUpdate')
    throw new KubectlError('rollout status is only available for RollingUpdate strategy type');
  if (!observed(object, status?.observedGeneration))
    return waiting('Waiting for daemon set spec update to be observed...');
  const name = `daemon set "${metadata?.name}"`;
  const {
    updatedNumberScheduled: updated = 0,
    desiredNumberScheduled: desired = 0,
    numberAvailable = 0,
  } = status ?? {};
  const begin = `Waiting for ${name} rollout to finish: `;
  if (updated < desired) return waiting(`${begin}${updated} out of ${desired} new pods have been updated...`);
  if (numberAvailable < desired)
    return waiting(`${begin}${numberAvailable} of ${desired} updated pods are available...`);
  return finished(`${name} successfully rolled out`);
}

function statefulSetState(object: V1StatefulSet): RolloutState {
  const { spec, status } = object;
  if (spec?.updateStrategy?.type !== 'RollingUpdate')
    throw new KubectlError('rollout status is only available for RollingUpdate strategy type');
  if (!status?.observedGeneration || !observed(object, status.observedGeneration))
    return waiting('Waiting for statefulset spec update to be observed...');
  const replicas = spec.replicas ?? 1;
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0 } = status;
  if (ready < replicas) return waiting(`Waiting for ${replicas - ready} pods to be ready...`);
  const partition = spec.updateStrategy.rollingUpdate?.partition;
  if (spec.updateStrategy.rollingUpdate) {
    const wanted = replicas - (partition ?? 0);
    return partition !== undefined && updated < wanted
      ? waiting(`Waiting for partitioned roll out to finish: ${updated} out of ${wanted} new pods have been updated...`)
      : finished(`partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  if (status.updateRevision !== status.currentRevision)
    return waiting(
      `waiting for statefulset rolling update to complete ${updated} pods at revision ${status.updateRevision}...`,
    );
  return finished(
    `statefulset rolling update complete ${status.currentReplicas ?? 0} pods at revision ${status.currentRevision}...`,
  );
}

/** Throws `KubectlError` for a rollout that has failed or that cannot be told of. Source: kubectl/pkg/polymorphichelpers. */
export function rolloutState({ kind, group }: Resource, object: KubeObject, revision = 0): RolloutState {
  switch (kind) {
    case 'Deployment':
      return deploymentState(object as V1Deployment, revision);
    case 'DaemonSet':
      return daemonSetState(object as V1DaemonSet);
    case 'StatefulSet':
      return statefulSetState(object as V1StatefulSet);
    default:
      throw new KubectlError(`no status viewer has been implemented for ${kind}${group && `.${group}`}`);
  }
}
