import { namespaces } from '../../../api/generated/resources.ts';
import { fromSpec } from '../../evidence.ts';
import { refusalRule, refusedExample } from './refused.ts';

export const podSecurityViolated = refusalRule(
  {
    id: 'pod-security-violated',
    title: 'Pod Security refuses the pod',
    codes: ['ADM-15'],
    symptoms: ['FailedCreate', 'violates PodSecurity'],
    meaning:
      'The label `pod-security.kubernetes.io/enforce` of the namespace sets a level (baseline, restricted), and the pod asks for more than it allows. At `kubectl apply` of the Deployment there is only a warning.',
    tell: '`violates PodSecurity "restricted:latest": …` with a complete list of what has to change.',
    fix: 'Set every field of the list; or another level for the namespace, if the pod must have it.',
    sick: [
      {
        when: 'the namespace is restricted',
        yaml: refusedExample(
          'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)',
        ),
        says: 'allowPrivilegeEscalation',
      },
    ],
  },
  /violates PodSecurity "([\w.-]+):([\w.-]+)": (.*)$/s,
  ({ workload, namespace, snapshot }, match) => {
    const level = snapshot.get(namespaces, namespace)?.metadata?.labels?.['pod-security.kubernetes.io/enforce'];
    return {
      says: `Namespace ${namespace} enforces the Pod Security level ${match[1]}, and the pods of ${workload.name} break it: ${match[3]}.`,
      evidence: level
        ? [
            fromSpec(
              { kind: 'Namespace', name: namespace },
              `pod-security.kubernetes.io/enforce: ${level}`,
              'metadata.labels',
            ),
          ]
        : [],
      field: { object: workload, path: 'spec.template.spec.securityContext' },
      remedy: {
        says: 'Set what the list names in the template.',
        commands: [
          `kubectl edit ${workload.kind.toLowerCase()}/${workload.name} -n ${namespace}`,
          'kubectl explain pod.spec.containers.securityContext',
        ],
        verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
      },
    };
  },
);
