import type { RoleRow } from './rows.ts';

export const clusterRoles: readonly RoleRow[] = [
  {
    name: 'admin',
    aggregates: [
      {
        'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
      },
    ],
    rules: [],
  },
  {
    name: 'cluster-admin',
    rules: [
      {
        groups: '*',
        resources: '*',
        verbs: '*',
      },
      {
        urls: '*',
        verbs: '*',
      },
    ],
  },
  {
    name: 'edit',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
    },
    aggregates: [
      {
        'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
      },
    ],
    rules: [],
  },
  {
    name: 'system:aggregate-to-admin',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
    },
    rules: [
      {
        groups: 'authorization.k8s.io',
        resources: 'localsubjectaccessreviews',
        verbs: 'create',
      },
      {
        groups: 'rbac.authorization.k8s.io',
        resources: 'rolebindings roles',
        verbs: 'create delete deletecollection get list patch update watch',
      },
    ],
  },
  {
    name: 'system:aggregate-to-edit',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
    },
    rules: [
      {
        groups: 'core',
        resources: 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'serviceaccounts',
        verbs: 'impersonate',
      },
      {
        groups: 'core',
        resources: 'pods pods/attach pods/exec pods/portforward pods/proxy',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'core',
        resources: 'pods/eviction',
        verbs: 'create',
      },
      {
        groups: 'core',
        resources:
          'configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'core',
        resources: 'serviceaccounts/token',
        verbs: 'create',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'apps',
        resources:
          'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'autoscaling',
        resources: 'horizontalpodautoscalers',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'batch',
        resources: 'cronjobs jobs',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'extensions',
        resources:
          'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'policy',
        resources: 'poddisruptionbudgets',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'networking.k8s.io',
        resources: 'ingresses networkpolicies',
        verbs: 'create delete deletecollection patch update',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'create delete deletecollection get list patch update watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims resourceclaimtemplates',
        verbs: 'create delete deletecollection patch update',
      },
    ],
  },
  {
    name: 'system:aggregate-to-view',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-view': 'true',
    },
    rules: [
      {
        groups: 'core',
        resources:
          'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources:
          'bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'namespaces',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'get list watch',
      },
      {
        groups: 'discovery.k8s.io',
        resources: 'endpointslices',
        verbs: 'get list watch',
      },
      {
        groups: 'apps',
        resources:
          'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
        verbs: 'get list watch',
      },
      {
        groups: 'autoscaling',
        resources: 'horizontalpodautoscalers horizontalpodautoscalers/status',
        verbs: 'get list watch',
      },
      {
        groups: 'batch',
        resources: 'cronjobs cronjobs/status jobs jobs/status',
        verbs: 'get list watch',
      },
      {
        groups: 'extensions',
        resources:
          'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
        verbs: 'get list watch',
      },
      {
        groups: 'policy',
        resources: 'poddisruptionbudgets poddisruptionbudgets/status',
        verbs: 'get list watch',
      },
      {
        groups: 'networking.k8s.io',
        resources: 'ingresses ingresses/status networkpolicies',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims resourceclaims/status resourceclaimtemplates',
        verbs: 'get list watch',
      },
    ],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      {
        groups: 'authentication.k8s.io',
        resources: 'tokenreviews',
        verbs: 'create',
      },
      {
        groups: 'authorization.k8s.io',
        resources: 'subjectaccessreviews',
        verbs: 'create',
      },
    ],
  },
  {
    name: 'system:basic-user',
    rules: [
      {
        groups: 'authorization.k8s.io',
        resources: 'selfsubjectaccessreviews selfsubjectrulesreviews',
        verbs: 'create',
      },
      {
        groups: 'authentication.k8s.io',
        resources: 'selfsubjectreviews',
        verbs: 'create',
      },
    ],
  },
  {
    name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'certificatesigningrequests/nodeclient',
        verbs: 'create',
      },
    ],
  },
  {
    name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'certificatesigningrequests/selfnodeclient',
        verbs: 'create',
      },
    ],
  },
  {
    name: 'system:certificates.k8s.io:kube-apiserver-client-approver',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'signers',
        verbs: 'approve',
        names: 'kubernetes.io/kube-apiserver-client',
      },
    ],
  },
  {
    name: 'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'signers',
        verbs: 'approve',
        names: 'kubernetes.io/kube-apiserver-client-kubelet',
      },
    ],
  },
  {
    name: 'system:certificates.k8s.io:kubelet-serving-approver',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'signers',
        verbs: 'approve',
        names: 'kubernetes.io/kubelet-serving',
      },
    ],
  },
  {
    name: 'system:certificates.k8s.io:legacy-unknown-approver',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'signers',
        verbs: 'approve',
        names: 'kubernetes.io/legacy-unknown',
      },
    ],
  },
  {
    name: 'system:discovery',
    rules: [
      {
        urls: '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/',
        verbs: 'get',
      },
    ],
  },
  {
    name: 'system:heapster',
    rules: [
      {
        groups: 'core',
        resources: 'events namespaces nodes pods',
        verbs: 'get list watch',
      },
      {
        groups: 'extensions',
        resources: 'deployments',
        verbs: 'get list watch',
      },
    ],
  },
  {
    name: 'system:kube-aggregator',
    rules: [
      {
        groups: 'core',
        resources: 'endpoints services',
        verbs: 'get list watch',
      },
    ],
  },
  {
    name: 'system:kube-controller-manager',
    rules: [
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'create',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'get update',
        names: 'kube-controller-manager',
      },
      {
        groups: 'core',
        resources: 'secrets serviceaccounts',
        verbs: 'create',
      },
      {
        groups: 'core',
        resources: 'secrets',
        verbs: 'delete',
      },
      {
        groups: 'core',
        resources: 'configmaps namespaces secrets serviceaccounts',
        verbs: 'get',
      },
      {
        groups: 'core',
        resources: 'secrets serviceaccounts',
        verbs: 'update',
      },
      {
        groups: 'authentication.k8s.io',
        resources: 'tokenreviews',
        verbs: 'create',
      },
      {
        groups: 'authorization.k8s.io',
        resources: 'subjectaccessreviews',
        verbs: 'create',
      },
      {
        groups: '*',
        resources: '*',
        verbs: 'list watch',
      },
      {
        groups: 'core',
        resources: 'serviceaccounts/token',
        verbs: 'create',
      },
    ],
  },
  {
    name: 'system:kube-dns',
    rules: [
      {
        groups: 'core',
        resources: 'endpoints services',
        verbs: 'list watch',
      },
    ],
  },
  {
    name: 'system:kube-scheduler',
    rules: [
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'create',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'get list update watch',
        names: 'kube-scheduler',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leasecandidates',
        verbs: 'create delete deletecollection get list patch update watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'delete get list watch',
      },
      {
        groups: 'core',
        resources: 'bindings pods/binding',
        verbs: 'create',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'replicationcontrollers services',
        verbs: 'get list watch',
      },
      {
        groups: 'apps extensions',
        resources: 'replicasets',
        verbs: 'get list watch',
      },
      {
        groups: 'apps',
        resources: 'statefulsets',
        verbs: 'get list watch',
      },
      {
        groups: 'policy',
        resources: 'poddisruptionbudgets',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims persistentvolumes',
        verbs: 'get list watch',
      },
      {
        groups: 'authentication.k8s.io',
        resources: 'tokenreviews',
        verbs: 'create',
      },
      {
        groups: 'authorization.k8s.io',
        resources: 'subjectaccessreviews',
        verbs: 'create',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csinodes',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'volumeattachments',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'namespaces',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csidrivers',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csistoragecapacities',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'deviceclasses',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims',
        verbs: 'get list patch update watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims/status',
        verbs: 'get list patch update watch',
      },
      {
        groups: 'core',
        resources: 'pods/finalizers',
        verbs: 'update',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceslices',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims',
        verbs: 'create delete',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims/binding',
        verbs: 'patch update',
      },
    ],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'proxy',
      },
      {
        groups: 'core',
        resources: 'nodes/log nodes/metrics nodes/proxy nodes/stats',
        verbs: '*',
      },
      {
        groups: 'core',
        resources: 'nodes/configz nodes/healthz nodes/pods',
        verbs: '*',
      },
    ],
  },
  {
    name: 'system:monitoring',
    rules: [
      {
        urls: '/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz',
        verbs: 'get',
      },
      {
        groups: 'core',
        resources: 'nodes/metrics',
        verbs: 'get',
      },
    ],
  },
  {
    name: 'system:node',
    rules: [
      {
        groups: 'authentication.k8s.io',
        resources: 'tokenreviews',
        verbs: 'create',
      },
      {
        groups: 'authorization.k8s.io',
        resources: 'localsubjectaccessreviews subjectaccessreviews',
        verbs: 'create',
      },
      {
        groups: 'core',
        resources: 'services',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'create get list watch',
      },
      {
        groups: 'core',
        resources: 'nodes/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'patch update',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'pods',
        verbs: 'create delete',
      },
      {
        groups: 'core',
        resources: 'pods/status',
        verbs: 'patch update',
      },
      {
        groups: 'core',
        resources: 'pods/eviction',
        verbs: 'create',
      },
      {
        groups: 'core',
        resources: 'configmaps secrets',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims persistentvolumes',
        verbs: 'get',
      },
      {
        groups: 'core',
        resources: 'endpoints',
        verbs: 'get',
      },
      {
        groups: 'certificates.k8s.io',
        resources: 'certificatesigningrequests',
        verbs: 'create get list watch',
      },
      {
        groups: 'coordination.k8s.io',
        resources: 'leases',
        verbs: 'create delete get patch update',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'volumeattachments',
        verbs: 'get',
      },
      {
        groups: 'core',
        resources: 'serviceaccounts/token',
        verbs: 'create',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims/status',
        verbs: 'get patch update',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csidrivers',
        verbs: 'get list watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'csinodes',
        verbs: 'create delete get patch update',
      },
      {
        groups: 'node.k8s.io',
        resources: 'runtimeclasses',
        verbs: 'get list watch',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceclaims',
        verbs: 'get',
      },
      {
        groups: 'resource.k8s.io',
        resources: 'resourceslices',
        verbs: 'deletecollection',
      },
      {
        groups: 'core',
        resources: 'serviceaccounts',
        verbs: 'get',
      },
    ],
  },
  {
    name: 'system:node-bootstrapper',
    rules: [
      {
        groups: 'certificates.k8s.io',
        resources: 'certificatesigningrequests',
        verbs: 'create get list watch',
      },
    ],
  },
  {
    name: 'system:node-problem-detector',
    rules: [
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'get',
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
    name: 'system:node-proxier',
    rules: [
      {
        groups: 'core',
        resources: 'endpoints services',
        verbs: 'list watch',
      },
      {
        groups: 'core',
        resources: 'nodes',
        verbs: 'get list watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
      {
        groups: 'networking.k8s.io',
        resources: 'servicecidrs',
        verbs: 'list watch',
      },
      {
        groups: 'discovery.k8s.io',
        resources: 'endpointslices',
        verbs: 'list watch',
      },
    ],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'create delete get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list update watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'storageclasses',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'events',
        verbs: 'watch',
      },
      {
        groups: 'core events.k8s.io',
        resources: 'events',
        verbs: 'create patch update',
      },
    ],
  },
  {
    name: 'system:public-info-viewer',
    rules: [
      {
        urls: '/healthz /livez /readyz /version /version/',
        verbs: 'get',
      },
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      {
        urls: '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
        verbs: 'get',
      },
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      {
        groups: 'core',
        resources: 'persistentvolumes',
        verbs: 'get list patch update watch',
      },
      {
        groups: 'storage.k8s.io',
        resources: 'storageclasses',
        verbs: 'get list watch',
      },
      {
        groups: 'core',
        resources: 'persistentvolumeclaims',
        verbs: 'get list patch update watch',
      },
    ],
  },
  {
    name: 'view',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
    },
    aggregates: [
      {
        'rbac.authorization.k8s.io/aggregate-to-view': 'true',
      },
    ],
    rules: [],
  },
];
