import { refusalRule, refusedExample, refusedFault } from './refused.ts';

export const limitRangeViolated = refusalRule(
  {
    id: 'limit-range-violated',
    title: 'The LimitRange of the namespace refuses the pod',
    codes: ['ADM-14'],
    symptoms: ['FailedCreate', 'maximum memory usage per Container', 'minimum cpu usage per Container'],
    meaning:
      'A LimitRange bounds what one container (or pod, or claim) may request, and the ratio of limit to request.',
    tell: '`minimum cpu usage per Container is …, but request is …` or the like.',
    fix: 'Fit the resources into the range, or change the range.',
    sick: [
      {
        when: 'the limit is above the maximum',
        yaml: refusedExample(
          'pods "web-1" is forbidden: maximum memory usage per Container is 512Mi, but limit is 1Gi',
        ),
        says: 'maximum memory usage per Container is 512Mi',
      },
    ],
    fault: {
      manifest: refusedFault(
        'apiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, max: {memory: 32Mi}}]}\n',
        '',
        ', resources: {limits: {memory: 1Gi}}',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
    },
  },
  /((?:minimum|maximum) [\w.-]+ usage per (?:Container|Pod) is [^,\]]+, but (?:request|limit) is [^,\]]+|[\w.-]+ max limit to request ratio per \w+ is [^,]+, but provided ratio is [\d.]+|(?:minimum|maximum) [\w.-]+ usage per \w+ is [^.]+\. No (?:request|limit) is specified)/,
  ({ workload, namespace }, match) => ({
    says: `A LimitRange of namespace ${namespace} refuses the pods of ${workload.name}: ${match[1]}.`,
    cause: `limits/${namespace}/${match[1]}`,
    field: { object: workload, path: 'spec.template.spec.containers[0].resources' },
    remedy: {
      says: 'Change the resources of the container to fit.',
      commands: [`kubectl describe limitrange -n ${namespace}`],
      verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
    },
  }),
);
