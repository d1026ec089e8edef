import { resourcequotas } from '../../../api/generated/resources.ts';
import { computed } from '../../evidence.ts';
import { refusalRule, refusedExample, refusedFault } from './refused.ts';

export const quotaExceeded = refusalRule(
  {
    id: 'quota-exceeded',
    title: 'The quota of the namespace is used up',
    codes: ['ADM-12'],
    symptoms: ['FailedCreate', 'exceeded quota'],
    meaning:
      'A ResourceQuota bounds what all pods of the namespace request together. The next pod would exceed it, so it is not even created: there is no pod to look at.',
    tell: '`forbidden: exceeded quota: NAME, requested: …, used: …, limited: …` at the ReplicaSet (or Job, StatefulSet).',
    fix: 'Raise the quota, lower requests or replicas, or free what is used.',
    sick: [
      {
        when: 'the quota of CPUs is used up',
        yaml: refusedExample(
          'pods "web-1" is forbidden: exceeded quota: compute, requested: requests.cpu=500m, used: requests.cpu=1800m, limited: requests.cpu=2',
        ),
        says: '500m more of requests.cpu',
      },
    ],
    fault: {
      manifest: refusedFault(
        'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {pods: "0"}}\n',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
    },
  },
  /exceeded quota: ([^,]+), requested: ([^=]+)=([^,]+)(?:,.*?)?, used: .*?\b\2=([^,]+)(?:,.*?)?, limited: .*?\b\2=([^,\s]+)/,
  ({ workload, namespace, snapshot }, match) => {
    const [, quota = '', resource = '', wanted = '', used = '', hard = ''] = match;
    const status = snapshot.get(resourcequotas, quota, namespace)?.status;
    return {
      says: `The quota ${quota} of namespace ${namespace} does not allow another pod of ${workload.name}: it needs ${wanted} more of ${resource}, and ${used} of ${hard} are used.`,
      evidence: status
        ? [
            computed(
              { kind: 'ResourceQuota', namespace, name: quota },
              Object.entries(status.hard ?? {})
                .map(([key, limit]) => `${key} ${status.used?.[key] ?? '0'} of ${limit}`)
                .join(', '),
            ),
          ]
        : [],
      cause: `quota/${namespace}/${quota}`,
      remedy: {
        says: `Raise ${resource} of the quota, or use less.`,
        commands: [
          `kubectl describe quota ${quota} -n ${namespace}`,
          `kubectl patch quota ${quota} -n ${namespace} --type=merge -p '{"spec":{"hard":{"${resource}":"MORE"}}}'`,
        ],
        verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
      },
    };
  },
);
