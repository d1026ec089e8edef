import { refusalRule, refusedExample, refusedFault } from './refused.ts';

export const quotaWantsResources = refusalRule(
  {
    id: 'quota-wants-resources',
    title: 'The quota wants every pod to name its resources',
    codes: ['ADM-13'],
    symptoms: ['FailedCreate', 'failed quota', 'must specify'],
    meaning: 'Where a quota counts requests or limits, each container has to name them; otherwise the pod is refused.',
    tell: '`failed quota: NAME: must specify limits.cpu for: app`.',
    fix: 'Name them in the pod template, or give the namespace a LimitRange with defaults.',
    sick: [
      {
        when: 'limits are not named',
        yaml: refusedExample(
          'pods "web-1" is forbidden: failed quota: compute: must specify limits.cpu for: app; requests.memory for: app',
        ),
        says: 'limits.cpu',
      },
    ],
    fault: {
      manifest: refusedFault(
        'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: compute}\nspec: {hard: {requests.cpu: "4", limits.memory: 4Gi}}\n',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
    },
  },
  /failed quota: ([^:]+): must specify (.*)$/,
  ({ workload, namespace }, match) => ({
    says: `The quota ${match[1]} of namespace ${namespace} refuses pods of ${workload.name} that do not name ${match[2]}.`,
    cause: `quota/${namespace}/${match[1]}/must-specify`,
    field: { object: workload, path: 'spec.template.spec.containers[0].resources' },
    remedy: {
      says: 'Name requests and limits in the template.',
      commands: [
        `kubectl set resources ${workload.kind.toLowerCase()}/${workload.name} -n ${namespace} --requests=cpu=100m,memory=128Mi --limits=cpu=500m,memory=256Mi`,
      ],
      verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
    },
  }),
);
