import { containerField } from '../../remedy.ts';
import { startExample, startFault } from './example.ts';
import { startRule } from './simple.ts';

export const seccompProfileMissing = startRule(
  {
    id: 'seccomp-profile-missing',
    title: 'The seccomp profile is not on the node',
    codes: ['CRT-15'],
    symptoms: ['CreateContainerError', 'cannot load seccomp profile'],
    lint: 'never',
    meaning:
      "The pod asks for a seccomp profile of type Localhost, a file below the kubelet's directory on each node, and this node does not have it.",
    tell: '`cannot load seccomp profile "/var/lib/kubelet/seccomp/…": … no such file or directory`.',
    fix: 'Bring the profile to every node (the Security Profiles Operator does), or use RuntimeDefault.',
    sick: [
      {
        when: 'the file is not there',
        yaml: startExample({
          reason: 'CreateContainerError',
          message:
            'failed to create containerd container: cannot load seccomp profile "/var/lib/kubelet/seccomp/audit.json": open /var/lib/kubelet/seccomp/audit.json: no such file or directory',
          container: '    securityContext: {seccompProfile: {type: Localhost, localhostProfile: audit.json}}',
        }),
        says: 'audit.json',
      },
    ],
    healthy: [],
    fault: {
      manifest: startFault(
        '        command: [sleep, "3600"]\n        securityContext: {seccompProfile: {type: Localhost, localhostProfile: absent.json}}',
      ),
      runtimes: ['containerd'],
      fixable: false,
    },
  },
  /cannot load seccomp profile "([^"]+)"/,
  ({ pod, container, match }) => ({
    says: `Node ${pod.spec.nodeName} does not have the seccomp profile ${match[1]?.split('/').at(-1)} that container ${container.name} asks for.`,
    field: containerField(pod, container, 'securityContext.seccompProfile'),
    remedy: {
      says: 'Put the profile on the nodes, or use type RuntimeDefault.',
      commands: [`ls -l ${match[1]}   # on node ${pod.spec.nodeName}`],
    },
  }),
);
