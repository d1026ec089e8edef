import { refusalRule, refusedExample, refusedFault } from './refused.ts';

export const classOfPodMissing = refusalRule(
  {
    id: 'class-of-pod-missing',
    title: 'The PriorityClass or RuntimeClass does not exist',
    codes: ['ADM-17', 'ADM-18'],
    symptoms: ['FailedCreate', 'no PriorityClass with name', 'RuntimeClass "…" not found'],
    meaning: 'The template names a class of priority or of runtime that the cluster does not have.',
    tell: '`no PriorityClass with name X was found`, or `pod rejected: RuntimeClass "X" not found`.',
    fix: 'Create the class, or correct or remove its name.',
    sick: [
      {
        when: 'the PriorityClass is not there',
        yaml: refusedExample('pods "web-1" is forbidden: no PriorityClass with name high was found'),
        says: 'PriorityClass high',
      },
      {
        when: 'the RuntimeClass is not there',
        yaml: refusedExample('pods "web-1" is forbidden: pod rejected: RuntimeClass "gvisor" not found'),
        says: 'RuntimeClass gvisor',
      },
    ],
    fault: {
      manifest: refusedFault(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\n',
        '      priorityClassName: no-such-class',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
    },
  },
  /no PriorityClass with name (\S+) was found|RuntimeClass "([^"]+)" not found/,
  ({ workload, namespace }, match) => {
    const kind = match[1] ? 'PriorityClass' : 'RuntimeClass';
    const name = match[1] ?? match[2] ?? '';
    return {
      says: `The pods of ${workload.name} name the ${kind} ${name}, which does not exist.`,
      cause: `${kind}/${name}`,
      field: { object: workload, path: `spec.template.spec.${match[1] ? 'priorityClassName' : 'runtimeClassName'}` },
      remedy: {
        says: 'Create it, or correct or remove the name.',
        commands: [`kubectl get ${kind.toLowerCase()}es`],
        verify: `kubectl get ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`,
      },
    };
  },
);
