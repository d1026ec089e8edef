import { pods } from '../../api/generated/resources.ts';
import { defineKind } from '../define.ts';
import { podColumns } from './pod-columns.ts';
import { defaultPod } from './pod-defaults.ts';
import { ephemeralContainers, podGracePeriod, preparePod, preparePodStatus, resize } from './pod-strategy.ts';
import { validatePodStatusUpdate, validatePodUpdate } from './pod-update-validation.ts';
import { validatePodCreate } from './pod-validation.ts';
import { podWarnings } from './pod-warnings.ts';

export const podKind = defineKind(pods, {
  defaults: defaultPod,
  hasGeneration: true,
  onCreate: preparePod,
  validate: validatePodCreate,
  validateUpdate: validatePodUpdate,
  onStatusUpdate: preparePodStatus,
  validateStatus: validatePodStatusUpdate,
  subresources: { ephemeralcontainers: ephemeralContainers, resize },
  warnings: podWarnings,
  gracePeriod: podGracePeriod,
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
});
