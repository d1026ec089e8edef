import * as resources from '../../api/generated/resources.ts';
import type { V1ConfigMap, V1PolicyRule } from '../../api/generated/types.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import type { Client } from '../../client/client.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { dnsServiceAddress } from '../bootstrap-objects.ts';
import type { ClusterOptions } from '../options.ts';

/** The group of bootstrap tokens that may make nodes, kubeadm's. */
export const nodeTokenGroup = 'system:bootstrappers:kubeadm:default-node-token';
const rbac = 'rbac.authorization.k8s.io';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const configMap = (namespace: string, name: string, data: Readonly<Record<string, string>>): V1ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
});

/** What a machine has to know before it may ask anything: the server and its authority. */
const clusterInfo = (server: string, authority: string): string => `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: ${base64(authority)}
    server: ${server}
  name: ""
contexts: null
current-context: ""
preferences: {}
users: null
`;

const kubeletConfiguration = (options: ClusterOptions): string => `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
clusterDNS:
- ${dnsServiceAddress(options.serviceCidr)}
clusterDomain: ${options.clusterDomain}
rotateCertificates: true
serverTLSBootstrap: true
`;

const proxyConfiguration = (options: ClusterOptions): string => `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: ${options.clusterCidr}
mode: nftables
`;

const subject = (kind: 'Group' | 'User', name: string) => ({ apiGroup: rbac, kind, name });
const reader = (resource: string, name: string): V1PolicyRule => ({
  apiGroups: [''],
  resources: [resource],
  resourceNames: [name],
  verbs: ['get', 'list', 'watch'],
});
const nodes = subject('Group', 'system:nodes');
const joining = subject('Group', nodeTokenGroup);

/** Who may do what so that machines can join by themselves, as kubeadm sets it up, and what a node's share of the pod network reads. */
const grants: readonly {
  readonly name: string;
  readonly namespace?: string;
  /** Absent: the role exists already. */
  readonly rules?: readonly V1PolicyRule[];
  readonly role?: string;
  readonly subjects: readonly ReturnType<typeof subject>[];
}[] = [
  { name: 'kubeadm:kubelet-bootstrap', role: 'system:node-bootstrapper', subjects: [joining] },
  {
    name: 'kubeadm:node-autoapprove-bootstrap',
    role: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    subjects: [joining],
  },
  {
    name: 'kubeadm:node-autoapprove-certificate-rotation',
    role: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    subjects: [nodes],
  },
  {
    name: 'kubeadm:bootstrap-signer-clusterinfo',
    namespace: 'kube-public',
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['cluster-info'], verbs: ['get'] }],
    subjects: [subject('User', 'system:anonymous')],
  },
  {
    name: 'kubeadm:kubelet-config',
    namespace: 'kube-system',
    rules: [reader('configmaps', 'kubelet-config')],
    subjects: [nodes, joining],
  },
  { name: 'kube-proxy', namespace: 'kube-system', rules: [reader('configmaps', 'kube-proxy')], subjects: [nodes] },
  { name: 'coracle:coredns', namespace: 'kube-system', rules: [reader('configmaps', 'coredns')], subjects: [nodes] },
  {
    name: 'coracle:node-network',
    rules: [
      { apiGroups: [''], resources: ['nodes', 'services', 'namespaces', 'pods'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list', 'watch'] },
    ],
    subjects: [nodes],
  },
];

async function put<T extends KubeObject>(client: Client, resource: Resource<T>, object: T): Promise<void> {
  const { name = '', namespace } = object.metadata ?? {};
  try {
    const present = await client.get(resource, name, namespace ? { namespace } : {});
    const next = { ...present, ...object, metadata: present.metadata };
    if (!semanticEqual(present, next)) await client.update(resource, next);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create(resource, object);
  }
}

/** Puts in place what other machines need to join: cluster-info, the configuration of nodes, and their rights. */
export async function ensureJoinObjects(
  client: Client,
  options: ClusterOptions,
  server: string,
  authority: string,
): Promise<void> {
  const known = await client
    .get(resources.configmaps, 'cluster-info', { namespace: 'kube-public' })
    .catch((error: unknown) => {
      if (!hasReason(error, 'NotFound')) throw error;
      return undefined;
    });
  // The signatures of before are not this server's to drop: their controller sees to it.
  const kubeconfig = clusterInfo(server, authority);
  await put(client, resources.configmaps, configMap('kube-public', 'cluster-info', { ...known?.data, kubeconfig }));
  await put(
    client,
    resources.configmaps,
    configMap('kube-system', 'kubelet-config', { kubelet: kubeletConfiguration(options) }),
  );
  await put(
    client,
    resources.configmaps,
    configMap('kube-system', 'kube-proxy', { 'config.conf': proxyConfiguration(options) }),
  );
  for (const { name, namespace, rules, role, subjects } of grants) {
    const metadata = { name, ...(namespace !== undefined && { namespace }) };
    const roleRef = { apiGroup: rbac, kind: namespace ? 'Role' : 'ClusterRole', name: role ?? name };
    if (namespace) {
      if (rules) await put(client, resources.roles, { metadata, rules });
      await put(client, resources.rolebindings, { metadata, roleRef, subjects });
    } else {
      if (rules) await put(client, resources.clusterroles, { metadata, rules });
      await put(client, resources.clusterrolebindings, { metadata, roleRef, subjects });
    }
  }
}
