import type { RoleRow } from './rows.ts';

export const controllerRoles: readonly RoleRow[] = [
  {
    name: 'system:controller:attachdetach-controller',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumeclaims persistentvolumes',
        verbs: 'list watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'nodes/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'volumeattachments',
        verbs: 'create delete get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csidrivers',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csinodes',
        verbs: 'get list watch',
      },
    ],
  },
  {
    name: 'system:controller:certificate-controller',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'certificatesigningrequests',
        verbs: 'delete get list watch',
      },
      {
        groups: 'certificates.k8s.io',
        resources: 'certificatesigningrequests/approval certificatesigningrequests/status',
        verbs: 'update',
      },
      {
        groups: 'certificates.k8s.io',
        resources: 'signers',
        verbs: 'approve',
        names: 'kubernetes.io/kube-apiserver-client-kubelet',
      },
      {
        groups: 'certificates.k8s.io',
        resources: 'signers',
        verbs: 'sign',
        names:
          'kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown',
      },
      {
        groups: 'authorization.k8s.io',
        resources: 'subjectaccessreviews',
        verbs: 'create',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:clusterrole-aggregation-controller',
    rules: [
      {
        groups: 'rbac.authorization.k8s.io',
        resources: 'clusterroles',
        verbs: 'escalate get list patch update watch',
      },
    ],
  },
  {
    name: 'system:controller:cronjob-controller',
    rules: [
      {
        groups: 'batch',
        resources: 'cronjobs',
        verbs: 'get list update watch',
      },
      {
        groups: 'batch',
        resources: 'jobs',
        verbs: 'create delete get list patch update watch',
      },
      {
        groups: 'batch',
        resources: 'cronjobs/status',
        verbs: 'update',
      },
      {
        groups: 'batch',
        resources: 'cronjobs/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'delete list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:daemon-set-controller',
    rules: [
      {
        groups: 'apps extensions',
        resources: 'daemonsets',
        verbs: 'get list watch',
      },
      {
        groups: 'apps extensions',
        resources: 'daemonsets/status',
        verbs: 'update',
      },
      {
        groups: 'apps extensions',
        resources: 'daemonsets/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'list watch',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete list patch watch',
      },
      {
        groups: 'core',
        resources: 'pods/binding',
        verbs: 'create',
      },
      {
        groups: 'apps',
        resources: 'controllerrevisions',
        verbs: 'create delete get list patch update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:deployment-controller',
    rules: [
      {
        groups: 'apps extensions',
        resources: 'deployments',
        verbs: 'get list update watch',
      },
      {
        groups: 'apps extensions',
        resources: 'deployments/status',
        verbs: 'update',
      },
      {
        groups: 'apps extensions',
        resources: 'deployments/finalizers',
        verbs: 'update',
      },
      {
        groups: 'apps extensions',
        resources: 'replicasets',
        verbs: 'create delete get list patch update watch',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'get list update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:device-taint-eviction-controller',
    rules: [
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'delete get list watch',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch update',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceslices',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'deviceclasses',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:disruption-controller',
    rules: [
      {
        groups: 'apps extensions',
        resources: 'deployments',
        verbs: 'get list watch',
      },
      {
        groups: 'apps extensions',
        resources: 'replicasets',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'replicationcontrollers',
        verbs: 'get list watch',
      },
      {
        groups: 'policy',
        resources: 'poddisruptionbudgets',
        verbs: 'get list watch',
      },
      {
        groups: 'apps',
        resources: 'statefulsets',
        verbs: 'get list watch',
      },
      {
        groups: 'policy',
        resources: 'poddisruptionbudgets/status',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch update',
      },
      {
        groups: '*',
        resources: '*/scale',
        verbs: 'get',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:endpoint-controller',
    rules: [
      {
        groups: 'core',
        resources: 'pods services',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'endpoints',
        verbs: 'create delete get list update watch',
      },
      {
        groups: 'core',
        resources: 'endpoints/restricted',
        verbs: 'create',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:endpointslice-controller',
    rules: [
      {
        groups: 'core',
        resources: 'nodes pods services',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'services/finalizers',
        verbs: 'update',
      },
      {
        groups: 'discovery.k8s.io',
        resources: 'endpointslices',
        verbs: 'create delete get list update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:endpointslicemirroring-controller',
    rules: [
      {
        groups: 'core',
        resources: 'endpoints services',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'services/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'endpoints/finalizers',
        verbs: 'update',
      },
      {
        groups: 'discovery.k8s.io',
        resources: 'endpointslices',
        verbs: 'create delete get list update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:ephemeral-volume-controller',
    rules: [
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'pods/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'create get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:expand-controller',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'get list patch update watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:generic-garbage-collector',
    rules: [
      {
        groups: '*',
        resources: '*',
        verbs: 'delete get list patch update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:horizontal-pod-autoscaler',
    rules: [
      {
        groups: 'autoscaling',
        resources: 'horizontalpodautoscalers',
        verbs: 'get list watch',
      },
      {
        groups: 'autoscaling',
        resources: 'horizontalpodautoscalers/status',
        verbs: 'update',
      },
      {
        groups: '*',
        resources: '*/scale',
        verbs: 'get update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'list watch',
      },
      {
        groups: 'metrics.k8s.io',
        resources: 'pods',
        verbs: 'list watch',
      },
      {
        groups: 'custom.metrics.k8s.io',
        resources: '*',
        verbs: 'get list watch',
      },
      {
        groups: 'external.metrics.k8s.io',
        resources: '*',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:job-controller',
    rules: [
      {
        groups: 'batch',
        resources: 'jobs',
        verbs: 'get list patch update watch',
      },
      {
        groups: 'batch',
        resources: 'jobs/status',
        verbs: 'update',
      },
      {
        groups: 'batch',
        resources: 'jobs/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete list patch watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:legacy-service-account-token-cleaner',
    rules: [
      {
        groups: 'core',
        resources: 'configmaps',
        verbs: 'get',
        names: 'kube-apiserver-legacy-service-account-token-tracking',
      },
      {
        groups: 'core',
        resources: 'secrets',
        verbs: 'delete patch',
      },
    ],
  },
  {
    name: 'system:controller:namespace-controller',
    rules: [
      {
        groups: 'core',
        resources: 'namespaces',
        verbs: 'delete get list watch',
      },
      {
        groups: 'core',
        resources: 'namespaces/finalize namespaces/status',
        verbs: 'update',
      },
      {
        groups: '*',
        resources: '*',
        verbs: 'delete deletecollection get list watch',
      },
    ],
  },
  {
    name: 'system:controller:node-controller',
    rules: [
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'delete get list patch update watch',
      },
      {
        groups: 'core',
        resources: 'nodes/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'delete get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:persistent-volume-binder',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'create delete get list update watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumes/status',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list update watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims/status',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'storageclasses',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'core',
        resources: 'events',
        verbs: 'watch',
      },
    ],
  },
  {
    name: 'system:controller:pod-garbage-collector',
    rules: [
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'delete list watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch',
      },
    ],
  },
  {
    name: 'system:controller:pv-protection-controller',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'get list update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:pvc-protection-controller',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list update watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims/status',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:replicaset-controller',
    rules: [
      {
        groups: 'apps extensions',
        resources: 'replicasets',
        verbs: 'get list update watch',
      },
      {
        groups: 'apps extensions',
        resources: 'replicasets/status',
        verbs: 'update',
      },
      {
        groups: 'apps extensions',
        resources: 'replicasets/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete list patch watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:replication-controller',
    rules: [
      {
        groups: 'core',
        resources: 'replicationcontrollers',
        verbs: 'get list update watch',
      },
      {
        groups: 'core',
        resources: 'replicationcontrollers/status',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'replicationcontrollers/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete list patch watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:resource-claim-controller',
    rules: [
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'pods/finalizers',
        verbs: 'update',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims',
        verbs: 'create delete get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims resourceclaims/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch update',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims/binding',
        verbs: 'patch update',
      },
    ],
  },
  {
    name: 'system:controller:resourcequota-controller',
    rules: [
      {
        groups: '*',
        resources: '*',
        verbs: 'list watch',
      },
      {
        groups: 'core',
        resources: 'resourcequotas/status',
        verbs: 'update',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:root-ca-cert-publisher',
    rules: [
      {
        groups: 'core',
        resources: 'configmaps',
        verbs: 'create update',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:route-controller',
    rules: [
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'list watch',
      },
      {
        groups: 'core',
        resources: 'nodes/status',
        verbs: 'patch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:selinux-warning-controller',
    rules: [
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csidrivers',
        verbs: 'get list watch',
      },
    ],
  },
  {
    name: 'system:controller:service-account-controller',
    rules: [
      {
        groups: 'core',
        resources: 'serviceaccounts',
        verbs: 'create',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:service-cidrs-controller',
    rules: [
      {
        groups: 'networking.k8s.io',
        resources: 'servicecidrs',
        verbs: 'get list patch update watch',
      },
      {
        groups: 'networking.k8s.io',
        resources: 'servicecidrs/finalizers',
        verbs: 'patch update',
      },
      {
        groups: 'networking.k8s.io',
        resources: 'servicecidrs/status',
        verbs: 'patch update',
      },
      {
        groups: 'networking.k8s.io',
        resources: 'ipaddresses',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:service-controller',
    rules: [
      {
        groups: 'core',
        resources: 'services',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'services/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:statefulset-controller',
    rules: [
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'list watch',
      },
      {
        groups: 'apps',
        resources: 'statefulsets',
        verbs: 'get list watch',
      },
      {
        groups: 'apps',
        resources: 'statefulsets/status',
        verbs: 'update',
      },
      {
        groups: 'apps',
        resources: 'statefulsets/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete get patch update',
      },
      {
        groups: 'apps',
        resources: 'controllerrevisions',
        verbs: 'create delete get list patch update watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'create get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'delete update',
      },
      {
        groups: 'core',
        resources: 'pods/finalizers',
        verbs: 'update',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:ttl-after-finished-controller',
    rules: [
      {
        groups: 'batch',
        resources: 'jobs',
        verbs: 'delete get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:ttl-controller',
    rules: [
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'list patch update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:validatingadmissionpolicy-status-controller',
    rules: [
      {
        groups: 'admissionregistration.k8s.io',
        resources: 'validatingadmissionpolicies',
        verbs: 'get list watch',
      },
      {
        groups: 'admissionregistration.k8s.io',
        resources: 'validatingadmissionpolicies/status',
        verbs: 'get patch update',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:controller:volumeattributesclass-protection-controller',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'volumeattributesclasses',
        verbs: 'get list update watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
];
