import type { RoleRow } from './rows.ts';

export const roles: readonly RoleRow[] = [
  {
    name: 'system:controller:bootstrap-signer',
    namespace: 'kube-public',
    rules: [
      {
        groups: 'core',
        resources: 'configmaps',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'configmaps',
        verbs: 'update',
        names: 'cluster-info',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'extension-apiserver-authentication-reader',
    namespace: 'kube-system',
    rules: [
      {
        groups: 'core',
        resources: 'configmaps',
        verbs: 'get list watch',
        names: 'extension-apiserver-authentication',
      },
    ],
  },
  {
    name: 'system::leader-locking-kube-controller-manager',
    namespace: 'kube-system',
    rules: [
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'create get list update watch',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leasecandidates',
        verbs: 'create get list update watch',
      },
    ],
  },
  {
    name: 'system::leader-locking-kube-scheduler',
    namespace: 'kube-system',
    rules: [
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'create get list update watch',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leasecandidates',
        verbs: 'create get list update watch',
      },
    ],
  },
  {
    name: 'system:controller:bootstrap-signer',
    namespace: 'kube-system',
    rules: [
      {
        groups: 'core',
        resources: 'secrets',
        verbs: 'get list watch',
      },
    ],
  },
  {
    name: 'system:controller:cloud-provider',
    namespace: 'kube-system',
    rules: [
      {
        groups: 'core',
        resources: 'configmaps',
        verbs: 'create get list watch',
      },
    ],
  },
  {
    name: 'system:controller:token-cleaner',
    namespace: 'kube-system',
    rules: [
      {
        groups: 'core',
        resources: 'secrets',
        verbs: 'delete get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
];
