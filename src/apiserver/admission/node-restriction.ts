import { nodes, pods } from '../../api/generated/resources.ts';
import type {
  AuthenticationV1TokenRequest,
  V1CertificateSigningRequest,
  V1CSINode,
  V1Lease,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ResourceSlice,
} from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { notFound } from '../../api/status.ts';
import type { Loose } from '../../kinds/draft.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { DerError } from '../../pki/der.ts';
import { parseSigningRequest } from '../../pki/signing-request.ts';
import { nodeIdentity } from '../authz/node-authorizer.ts';
import { quote } from '../authz/quote.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';
import { draftOf, isMirrorPod, refuse } from './request.ts';

/** Labels that a kubelet may set on its own node (k8s.io/kubelet/pkg/apis/well_known_labels.go). */
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const kubeletNamespaces = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const within = (namespace: string, domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);

function forbiddenLabels(
  next: Readonly<Record<string, string | undefined>> | undefined,
  old: Readonly<Record<string, string | undefined>> | undefined,
): readonly string[] {
  const keys = new Set([...Object.keys(next ?? {}), ...Object.keys(old ?? {})]);
  return [...keys]
    .filter((key) => next?.[key] !== old?.[key])
    .filter((key) => {
      const slash = key.indexOf('/');
      const namespace = slash < 0 ? '' : key.slice(0, slash);
      if (within(namespace, 'node-restriction.kubernetes.io')) return true;
      const ours = within(namespace, 'kubernetes.io') || within(namespace, 'k8s.io');
      return ours && !kubeletLabels.has(key) && !kubeletNamespaces.some((domain) => within(namespace, domain));
    })
    .sort();
}

function referenceOf(pod: Loose<V1Pod>): string | undefined {
  if (pod.spec?.serviceAccountName) return 'serviceaccounts';
  const text = JSON.stringify(pod.spec ?? {});
  if (/"(?:secretRef|secretKeyRef|nodePublishSecretRef)":|"secret":\{|"imagePullSecrets":\[\{/.test(text))
    return 'secrets';
  if (/"(?:configMapRef|configMapKeyRef|configMap)":/.test(text)) return 'configmaps';
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim || volume.ephemeral) return 'persistentvolumeclaims';
    if (volume.csi) return 'csidrivers (via CSI volumes)';
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken))
      return 'serviceaccounts (via projected volumes)';
    if (volume.projected?.sources?.some((source) => source.clusterTrustBundle)) return 'clustertrustbundles';
  }
  return (pod.spec?.resourceClaims ?? []).length > 0 ? 'resourceclaims' : undefined;
}

/** Limits what kubelets write to their own node and its pods (plugin/pkg/admission/noderestriction). */
export function nodeRestriction(context: ServerContext): AdmissionPlugin {
  const { reader } = context;
  const podOf = (request: AdmissionRequest, name: string): Live<V1Pod> => {
    const pod = reader.get(pods, request.namespace, name);
    if (!pod) throw notFound({ group: '', resource: 'pods' }, name);
    return pod;
  };
  const createPod = (request: AdmissionRequest, node: string): void => {
    const pod = draftOf<V1Pod>(request);
    const who = `node ${quote(node)}`;
    if (!isMirrorPod(pod)) {
      throw refuse(
        request,
        `pod does not have "kubernetes.io/config.mirror" annotation, ${who} can only create mirror pods`,
      );
    }
    if (pod.spec?.nodeName !== node)
      throw refuse(request, `${who} can only create pods with spec.nodeName set to itself`);
    const owners = pod.metadata?.ownerReferences ?? [];
    if (owners.length > 1)
      throw refuse(request, `${who} can only create pods with a single owner reference set to itself`);
    const [owner] = owners;
    if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
      throw refuse(request, `${who} can only create pods with an owner reference set to itself`);
    }
    if (!owner.controller)
      throw refuse(request, `${who} can only create pods with a controller owner reference set to itself`);
    if (owner.blockOwnerDeletion) throw refuse(request, `${who} must not set blockOwnerDeletion on an owner reference`);
    const live = reader.get(nodes, undefined, node);
    if (!live) throw notFound({ group: '', resource: 'nodes' }, node);
    if (owner.uid !== live.metadata.uid) {
      throw refuse(request, `node ${node} UID mismatch: expected ${owner.uid} got ${live.metadata.uid}`);
    }
    const reference = referenceOf(pod);
    if (reference) throw refuse(request, `${who} can not create pods that reference ${reference}`);
  };
  const pod = (request: AdmissionRequest, node: string): void => {
    const who = `node ${quote(node)}`;
    const { operation } = request;
    switch (request.subresource) {
      case undefined:
        if (operation === 'CREATE') {
          createPod(request, node);
          return;
        }
        if (operation !== 'DELETE') {
          throw refuse(
            request,
            `unexpected operation ${quote(operation)}, ${who} can only create and delete mirror pods`,
          );
        }
        if (podOf(request, request.name).spec?.nodeName !== node) {
          throw refuse(request, `${who} can only delete pods with spec.nodeName set to itself`);
        }
        return;
      case 'status': {
        if (operation !== 'UPDATE') throw refuse(request, `unexpected operation ${quote(operation)}`);
        const old: Live<V1Pod> | undefined = request.old;
        const next = draftOf<V1Pod>(request);
        if (old?.spec?.nodeName !== node) {
          throw refuse(request, `${who} can only update pod status for pods with spec.nodeName set to itself`);
        }
        if (!semanticEqual(old.metadata.labels ?? {}, next.metadata?.labels ?? {})) {
          throw refuse(request, `${who} cannot update labels through pod status`);
        }
        if (!semanticEqual(old.status?.resourceClaimStatuses, next.status?.resourceClaimStatuses)) {
          throw refuse(request, `${who} cannot update resource claim statues`);
        }
        return;
      }
      case 'eviction':
        if (operation !== 'CREATE') throw refuse(request, `unexpected operation ${operation}`);
        if (podOf(request, request.name).spec?.nodeName !== node) {
          throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
        }
        return;
      default:
        throw refuse(
          request,
          `unexpected pod subresource ${quote(request.subresource ?? '')}, only 'status' and 'eviction' are allowed`,
        );
    }
  };
  const nodeObject = (request: AdmissionRequest, node: string): void => {
    const who = `node ${quote(node)}`;
    const next = draftOf<V1Node>(request);
    const name = request.name || next.metadata?.name || '';
    if (name !== node) throw refuse(request, `${who} is not allowed to modify node ${quote(name)}`);
    if (request.operation === 'CREATE') {
      if (next.spec?.configSource) {
        throw refuse(request, `${who} is not allowed to create pods with a non-nil configSource`);
      }
      const labels = forbiddenLabels(next.metadata?.labels, undefined);
      if (labels.length > 0) {
        throw refuse(request, `${who} is not allowed to set the following labels: ${labels.join(', ')}`);
      }
    } else if (request.operation === 'UPDATE') {
      const old: Live<V1Node> | undefined = request.old;
      if (next.spec?.configSource && !semanticEqual(next.spec.configSource, old?.spec?.configSource)) {
        throw refuse(request, `${who} is not allowed to update configSource to a new non-nil configSource`);
      }
      if (!semanticEqual(next.spec?.taints, old?.spec?.taints))
        throw refuse(request, `${who} is not allowed to modify taints`);
      if (!semanticEqual(next.metadata?.ownerReferences, old?.metadata.ownerReferences)) {
        throw refuse(request, `${who} is not allowed to modify ownerReferences`);
      }
      const labels = forbiddenLabels(next.metadata?.labels, old?.metadata.labels);
      if (labels.length > 0) throw refuse(request, `is not allowed to modify labels: ${labels.join(', ')}`);
    }
  };
  const claim = (request: AdmissionRequest, node: string): void => {
    if (request.subresource !== 'status') throw refuse(request, 'may only update PVC status');
    const bare = (object: unknown): unknown => {
      const { metadata, status, ...rest } = (object ?? {}) as Loose<V1PersistentVolumeClaim>;
      const { resourceVersion: _, managedFields: __, ...meta } = metadata ?? {};
      const {
        capacity: ___,
        conditions: ____,
        allocatedResources: _____,
        allocatedResourceStatuses: ______,
        ...state
      } = status ?? {};
      return { ...rest, metadata: meta, status: state };
    };
    if (!semanticEqual(bare(request.old), bare(request.object))) {
      throw refuse(
        request,
        `node ${quote(node)} is not allowed to update fields other than status.quantity and status.conditions`,
      );
    }
  };
  const token = (request: AdmissionRequest, node: string): void => {
    if (request.operation !== 'CREATE' || request.subresource !== 'token') return;
    const { spec } = draftOf<AuthenticationV1TokenRequest>(request);
    const ref = spec?.boundObjectRef;
    if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) {
      throw refuse(request, 'node requested token not bound to a pod');
    }
    if (!ref.uid) throw refuse(request, 'node requested token with a pod binding without a uid');
    const live = podOf(request, ref.name);
    if (live.metadata.uid !== ref.uid) {
      throw refuse(
        request,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    if (live.spec?.nodeName !== node) {
      throw refuse(request, 'node requested token bound to a pod scheduled on a different node');
    }
  };
  const lease = (request: AdmissionRequest, node: string): void => {
    if (request.operation !== 'CREATE') return;
    const name = draftOf<V1Lease>(request).metadata?.name ?? '';
    if (request.namespace === 'kube-node-lease' && name !== node) {
      throw refuse(request, 'can only access node lease with the same name as the requesting node');
    }
  };
  const csiNode = (request: AdmissionRequest, node: string): void => {
    if (request.operation === 'CREATE' && draftOf<V1CSINode>(request).metadata?.name !== node) {
      throw refuse(request, 'can only access CSINode with the same name as the requesting node');
    }
  };
  const slice = (request: AdmissionRequest, node: string): void => {
    if (request.operation === 'CREATE' && draftOf<V1ResourceSlice>(request).spec?.nodeName !== node) {
      throw refuse(request, `can only create ResourceSlice with the same NodeName as the requesting node`);
    }
  };
  const signing = (request: AdmissionRequest): void => {
    const { spec } = draftOf<V1CertificateSigningRequest>(request);
    const signers = ['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving'];
    if (request.operation !== 'CREATE' || request.subresource || !signers.includes(spec?.signerName ?? '')) return;
    try {
      const parsed = parseSigningRequest(Buffer.from(spec?.request ?? '', 'base64').toString('utf8'));
      if (parsed.subject.commonName !== request.user.name) {
        throw refuse(request, `can only create a node CSR with CN=${request.user.name}`);
      }
    } catch (error) {
      if (error instanceof DerError) throw refuse(request, `unable to parse csr: ${error.message}`);
      throw error;
    }
  };
  return {
    name: 'NodeRestriction',
    admit(request) {
      const node = nodeIdentity(request.user);
      if (node === undefined) return;
      if (node === '') throw refuse(request, `could not determine node from user ${quote(request.user.name)}`);
      switch (`${request.resource.plural}.${request.resource.group}`) {
        case 'pods.':
          return pod(request, node);
        case 'nodes.':
          return nodeObject(request, node);
        case 'persistentvolumeclaims.':
          return claim(request, node);
        case 'serviceaccounts.':
          return token(request, node);
        case 'leases.coordination.k8s.io':
          return lease(request, node);
        case 'csinodes.storage.k8s.io':
          return csiNode(request, node);
        case 'resourceslices.resource.k8s.io':
          return slice(request, node);
        case 'certificatesigningrequests.certificates.k8s.io':
          return signing(request);
        default:
          return;
      }
    },
  };
}
