import { containerField } from '../../remedy.ts';
import { startExample } from './example.ts';
import { startRule } from './simple.ts';

export const userNotInImage = startRule(
  {
    id: 'user-not-in-image',
    title: 'The image does not know its user',
    codes: ['CRT-10'],
    symptoms: ['CreateContainerError', 'no matching entries in passwd file', 'no users found'],
    lint: 'never',
    meaning: 'The image names its user (USER appuser), but its /etc/passwd has no such entry.',
    tell: '`unable to find user NAME: no matching entries in passwd file`, or `no users found`.',
    fix: 'Create the user in the image, or set a numeric `runAsUser`.',
    sick: [
      {
        when: 'the passwd file lacks the user',
        yaml: startExample({
          reason: 'CreateContainerError',
          message:
            'failed to create containerd container: mount callback failed on /var/lib/containerd/tmpmounts/containerd-mount1: no users found',
        }),
        says: 'does not know the user',
      },
    ],
    healthy: [],
  },
  /unable to find user ([^:]+): no matching entries|mount callback failed on [^:]*: no (?:users|groups) found/,
  ({ pod, container, match }) => ({
    says: `The image ${container.image} does not know the user${match[1] ? ` ${match[1]}` : ''} that container ${container.name} is to run as.`,
    field: containerField(pod, container, 'securityContext.runAsUser'),
    remedy: {
      says: 'Set runAsUser to a number, or repair the image.',
      commands: [
        `kubectl patch ${pod.workload.kind.toLowerCase()}/${pod.workload.name} -n ${pod.namespace} --type=json -p '[{"op":"add","path":"/spec/template/spec/securityContext","value":{"runAsUser":1000}}]'`,
      ],
    },
  }),
);
