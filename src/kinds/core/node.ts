import { duplicate, type FieldError, forbiddenField, invalid } from '../../api/field-error.ts';
import { nodes } from '../../api/generated/resources.ts';
import type { V1Node, V1Taint } from '../../api/generated/types.ts';
import { labelValue } from '../../api/names.ts';
import { isCidr, oneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { validateLabelName } from '../labels.ts';
import { taintEffects } from './pod-validation.ts';
import { validateAmount, validateResourceName } from './resource-names.ts';

type Node = Loose<V1Node>;

function validateTaints(taints: readonly Loose<V1Taint>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  taints.forEach((taint, i) => {
    const at = `${path}[${i}]`;
    const { key = '', value = '', effect = '' } = taint;
    errors.push(...validateLabelName(key, `${at}.key`));
    const reasons = labelValue(value);
    if (reasons.length > 0) errors.push(invalid(`${at}.value`, value, reasons.join(';')));
    errors.push(...oneOf(`${at}.effect`, effect, taintEffects));
    if (seen.has(`${effect}/${key}`)) {
      errors.push({ ...duplicate(at, taint), detail: 'taints must be unique by key and effect pair' });
    }
    seen.add(`${effect}/${key}`);
  });
  return errors;
}

function validateNode({ spec = {}, status = {} }: Node): FieldError[] {
  const errors = validateTaints(spec.taints ?? [], 'spec.taints');
  for (const list of ['capacity', 'allocatable'] as const) {
    for (const name in status[list]) {
      const at = `status.${list}.${name}`;
      errors.push(...validateResourceName(name, at), ...validateAmount(name, status[list]?.[name], at));
    }
  }
  spec.podCIDRs?.forEach((it, i) => {
    if (isCidr(it)) return;
    const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    errors.push(invalid(`spec.podCIDRs[${i}]`, it, detail));
  });
  return errors;
}

function validateUpdate(next: Node, old: Node): FieldError[] {
  const errors = validateNode(next);
  const seen = new Set<string>();
  next.status?.addresses?.forEach((address, i) => {
    const key = `${address.type}/${address.address}`;
    if (seen.has(key)) errors.push(duplicate(`status.addresses[${i}]`, address));
    seen.add(key);
  });
  const before = old.spec?.podCIDRs ?? [];
  const after = next.spec?.podCIDRs ?? [];
  if (before.length > 0 && (before.length !== after.length || before.some((it, i) => it !== after[i]))) {
    const detail = 'node updates may not change podCIDR except from "" to valid';
    errors.push(forbiddenField('spec.podCIDRs', detail));
  }
  if (old.spec?.providerID && old.spec.providerID !== next.spec?.providerID) {
    const detail = 'node updates may not change providerID except from "" to valid';
    errors.push(forbiddenField('spec.providerID', detail));
  }
  return errors;
}

function statusText({ status = {}, spec = {} }: Node): string {
  const ready = status.conditions?.filter((it) => it.type === 'Ready').at(-1);
  const text = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec.unschedulable ? `${text},SchedulingDisabled` : text;
}

const rolePrefix = 'node-role.kubernetes.io/';

function roles({ metadata = {} }: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) found.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && value) found.add(value);
  }
  return [...found].sort().join(',') || '<none>';
}

const address =
  (type: string) =>
  (node: Node): string =>
    node.status?.addresses?.find((it) => it.type === type)?.address ?? '<none>';

const { column, wide } = columnsOf<V1Node>();

export const nodeKind = defineKind(nodes, {
  defaults(node) {
    node.spec ??= {};
    node.status ??= {};
    const { status, spec } = node;
    if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity };
    // The older podCIDR is the first of the list.
    if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR];
    else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
    if (spec.unschedulable === false) delete spec.unschedulable;
  },
  // A kubelet registers its node with the status it knows.
  createsWithStatus: true,
  validate: validateNode,
  validateUpdate,
  validateStatus: validateUpdate,
  selectableFields: { 'spec.unschedulable': (it) => String(it.spec?.unschedulable ?? false) },
  columns: [
    nameColumn,
    column('Status', 'The status of the node', statusText),
    column('Roles', 'The roles of the node', roles),
    ageColumn,
    column('Version', 'Kubelet Version reported by the node.', (it) => it.status?.nodeInfo?.kubeletVersion ?? ''),
    wide('Internal-IP', 'List of addresses reachable to the node.', address('InternalIP')),
    wide('External-IP', 'List of addresses reachable to the node.', address('ExternalIP')),
    wide('OS-Image', 'OS Image reported by the node.', (it) => it.status?.nodeInfo?.osImage || '<unknown>'),
    wide('Kernel-Version', 'Kernel Version reported by the node.', (it) => {
      const { kernelVersion, architecture } = it.status?.nodeInfo ?? {};
      return `${kernelVersion || '<unknown>'}${architecture ? ` (${architecture})` : ''}`;
    }),
    wide(
      'Container-Runtime',
      'ContainerRuntime Version reported by the node.',
      (it) => it.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    ),
  ],
});
