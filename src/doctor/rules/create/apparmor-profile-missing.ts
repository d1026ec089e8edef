import { fieldOf } from '../../remedy.ts';
import { refusedExample } from './example.ts';
import { refusedRule } from './simple.ts';

export const apparmorProfileMissing = refusedRule(
  {
    id: 'apparmor-profile-missing',
    title: 'The AppArmor profile cannot be enforced',
    codes: ['CRT-16'],
    symptoms: ['AppArmor', 'Cannot enforce AppArmor'],
    lint: 'never',
    meaning: 'The pod asks for an AppArmor profile that is not loaded on the node, or the node has no AppArmor.',
    tell: 'Phase Failed, reason `AppArmor`.',
    fix: 'Load the profile on the nodes, or use RuntimeDefault.',
    sick: [
      {
        when: 'the profile is not loaded',
        yaml: refusedExample('AppArmor', 'Cannot enforce AppArmor: profile "k8s-deny-write" is not loaded'),
        says: 'k8s-deny-write',
      },
    ],
    healthy: [],
  },
  ['AppArmor'],
  ({ pod, message }) => ({
    says: `Node ${pod.spec.nodeName} refuses the pod: ${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, '')}.`,
    field: fieldOf(pod, 'securityContext.appArmorProfile'),
    remedy: {
      says: 'Load the profile on the nodes (aa-status shows which are), or use RuntimeDefault.',
      commands: [`aa-status   # on node ${pod.spec.nodeName}`],
    },
  }),
);
