import type { UserInfo } from '../../api/handler.ts';
import type { AccessAttributes, ObjectReader } from '../contracts.ts';
import { clusterRoles } from './bootstrap/cluster-roles.ts';
import { policyRule } from './bootstrap/expand.ts';
import { createNodeGraph } from './node-graph.ts';
import { compileRule, ruleAllows } from './rules.ts';

/** The node that a user speaks for: `system:node:NAME` in group system:nodes; undefined for all others. */
export function nodeIdentity(user: UserInfo): string | undefined {
  if (!user.name.startsWith('system:node:') || !user.groups.includes('system:nodes')) return undefined;
  return user.name.slice('system:node:'.length);
}

/** True to allow, or the reason why this authorizer does not. */
export type NodeVerdict = true | string;

const reading = new Set(['get', 'list', 'watch']);
const objectVerbs = new Set(['get', 'create', 'update', 'patch', 'delete']);

/** True where the field selector pins `field` to `value`. */
const pins = (selector: string | undefined, field: string, value: string): boolean =>
  (selector ?? '').split(',').some((term) => term === `${field}=${value}` || term === `${field}==${value}`);

/**
 * Limits a kubelet to what its pods need (plugin/pkg/auth/authorizer/node/node_authorizer.go). Returns a function that
 * answers for users that are nodes, and undefined for others.
 */
export function createNodeAuthorizer(reader: ObjectReader): (attributes: AccessAttributes) => NodeVerdict | undefined {
  const graph = createNodeGraph(reader);
  const fixed = (clusterRoles.find((role) => role.name === 'system:node')?.rules ?? []).map((row) =>
    compileRule(policyRule(row)),
  );

  const related = (node: string, kind: string, attributes: AccessAttributes): NodeVerdict => {
    if (!attributes.name) return 'No Object name found';
    return (
      graph.related(node, kind, attributes.namespace ?? '', attributes.name) ||
      `no relationship found between node '${node}' and this object`
    );
  };
  const onlyGet = (node: string, kind: string, attributes: AccessAttributes): NodeVerdict => {
    if (attributes.verb !== 'get') return 'can only get individual resources of this type';
    if (attributes.subresource) return 'cannot get subresource';
    return related(node, kind, attributes);
  };
  const onlyRead = (node: string, kind: string, attributes: AccessAttributes): NodeVerdict => {
    if (!reading.has(attributes.verb)) return 'can only read resources of this type';
    if (attributes.subresource) return 'cannot read subresource';
    if (!attributes.namespace) return 'can only read namespaced object of this type';
    return related(node, kind, attributes);
  };
  const claimStatus = (node: string, attributes: AccessAttributes): NodeVerdict =>
    attributes.verb === 'update' || attributes.verb === 'patch'
      ? related(node, 'persistentvolumeclaims', attributes)
      : 'can only get/update/patch this type';
  const accounts = (node: string, attributes: AccessAttributes): NodeVerdict => {
    if (attributes.verb === 'get' && !attributes.subresource) return onlyRead(node, 'serviceaccounts', attributes);
    if (attributes.verb !== 'create' || !attributes.name)
      return 'can only create tokens for individual service accounts';
    if (attributes.subresource !== 'token') return 'can only create token subresource of serviceaccount';
    return related(node, 'serviceaccounts', attributes);
  };
  const leases = (node: string, attributes: AccessAttributes): NodeVerdict => {
    if (!objectVerbs.has(attributes.verb)) return 'can only get, create, update, patch, or delete a node lease';
    if (attributes.namespace !== 'kube-node-lease')
      return 'can only access leases in the "kube-node-lease" system namespace';
    if (attributes.verb !== 'create' && attributes.name !== node) {
      return 'can only access node lease with the same name as the requesting node';
    }
    return true;
  };
  const csiNodes = (node: string, attributes: AccessAttributes): NodeVerdict => {
    if (!objectVerbs.has(attributes.verb)) return 'can only get, create, update, patch, or delete a CSINode';
    if (attributes.subresource) return 'cannot authorize CSINode subresources';
    if (attributes.verb !== 'create' && attributes.name !== node) {
      return 'can only access CSINode with the same name as the requesting node';
    }
    return true;
  };
  const slices = (node: string, attributes: AccessAttributes): NodeVerdict => {
    if (attributes.subresource) return 'cannot authorize ResourceSlice subresources';
    switch (attributes.verb) {
      case 'create':
        return true;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return related(node, 'resourceslices', attributes);
      default:
        return (
          pins(attributes.fieldSelector, 'spec.nodeName', node) ||
          'can only list/watch/deletecollection resourceslices with nodeName field selector'
        );
    }
  };
  const nodeObjects = (node: string, attributes: AccessAttributes): NodeVerdict => {
    const { verb, subresource, name } = attributes;
    if (subresource === 'status') return verb === 'update' || verb === 'patch' || '';
    if (subresource) return '';
    if (verb === 'create' || verb === 'update' || verb === 'patch') return true;
    if (!reading.has(verb)) return '';
    if (name === node) return true;
    return name
      ? `node '${node}' cannot read '${name}', only its own Node object`
      : `node '${node}' cannot read all nodes, only its own Node object`;
  };
  const podObjects = (node: string, attributes: AccessAttributes): NodeVerdict => {
    const { verb, subresource } = attributes;
    if (subresource === 'status') return verb === 'update' || verb === 'patch' || '';
    if (subresource === 'eviction') return verb === 'create' || '';
    if (subresource) return '';
    if (verb === 'create' || verb === 'delete') return true;
    if (verb === 'get') return onlyGet(node, 'pods', attributes);
    if (verb !== 'list' && verb !== 'watch') return '';
    if (pins(attributes.fieldSelector, 'spec.nodeName', node)) return true;
    return attributes.name
      ? related(node, 'pods', attributes)
      : 'can only list/watch pods with spec.nodeName field selector';
  };

  return (attributes) => {
    const node = nodeIdentity(attributes.user);
    if (node === undefined) return undefined;
    if (node === '') return `unknown node for user ${JSON.stringify(attributes.user.name)}`;
    switch (attributes.path === undefined ? `${attributes.resource ?? ''}.${attributes.group ?? ''}` : '') {
      case 'secrets.':
        return onlyRead(node, 'secrets', attributes);
      case 'configmaps.':
        return onlyRead(node, 'configmaps', attributes);
      case 'persistentvolumeclaims.':
        return attributes.subresource === 'status'
          ? claimStatus(node, attributes)
          : onlyGet(node, 'persistentvolumeclaims', attributes);
      case 'persistentvolumes.':
        return onlyGet(node, 'persistentvolumes', attributes);
      case 'resourceclaims.resource.k8s.io':
        return onlyGet(node, 'resourceclaims', attributes);
      case 'volumeattachments.storage.k8s.io':
        return onlyGet(node, 'volumeattachments', attributes);
      case 'serviceaccounts.':
        return accounts(node, attributes);
      case 'leases.coordination.k8s.io':
        return leases(node, attributes);
      case 'csinodes.storage.k8s.io':
        return csiNodes(node, attributes);
      case 'resourceslices.resource.k8s.io':
        return slices(node, attributes);
      case 'nodes.':
        return nodeObjects(node, attributes);
      case 'pods.':
        return podObjects(node, attributes);
      default:
        return fixed.some((rule) => ruleAllows(rule, attributes)) || '';
    }
  };
}
