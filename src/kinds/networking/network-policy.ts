import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import { networkpolicies } from '../../api/generated/resources.ts';
import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '../../api/generated/types.ts';
import { portName, portNumber } from '../../api/names.ts';
import { cidrContains, invalids, isCidr, optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { formatSelector, validateLabelSelector } from '../labels.ts';

type Policy = Loose<V1NetworkPolicy>;

export const cidrDetail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function validatePort(item: Loose<V1NetworkPolicyPort>, path: string): FieldError[] {
  const errors = optionalOneOf(`${path}.protocol`, item.protocol, ['TCP', 'UDP', 'SCTP']);
  const port = item.port as number | string | undefined;
  const { endPort } = item;
  if (port === undefined) {
    if (endPort !== undefined) {
      errors.push(invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is not specified'));
    }
  } else if (typeof port === 'string') {
    if (endPort !== undefined) {
      errors.push(invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    }
    errors.push(...invalids(`${path}.port`, port, portName(port)));
  } else {
    errors.push(...invalids(`${path}.port`, port, portNumber(port)));
    if (endPort !== undefined) {
      if (endPort < port) errors.push(invalid(`${path}.endPort`, port, 'must be greater than or equal to `port`'));
      errors.push(...invalids(`${path}.endPort`, endPort, portNumber(endPort)));
    }
  }
  return errors;
}

function validatePeer(peer: Loose<V1NetworkPolicyPeer>, path: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const errors = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
  ];
  if (ipBlock) {
    const { cidr = '', except = [] } = ipBlock;
    const at = `${path}.ipBlock`;
    if (cidr === '') errors.push(required(`${at}.cidr`));
    else if (!isCidr(cidr)) errors.push(invalid(`${at}.cidr`, cidr, cidrDetail));
    else {
      except.forEach((it, i) => {
        if (!isCidr(it)) errors.push(invalid(`${at}.except[${i}]`, it, cidrDetail));
        else if (!cidrContains(cidr, it)) {
          errors.push(invalid(`${at}.except[${i}]`, it, 'must be a strict subset of `cidr`'));
        }
      });
    }
  }
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'));
  else if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

function validatePolicy({ spec = {} }: Policy): FieldError[] {
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector');
  spec.ingress?.forEach(({ ports = [], from = [] }, i) => {
    const at = `spec.ingress[${i}]`;
    errors.push(
      ...ports.flatMap((it, j) => validatePort(it, `${at}.ports[${j}]`)),
      ...from.flatMap((it, j) => validatePeer(it, `${at}.from[${j}]`)),
    );
  });
  spec.egress?.forEach(({ ports = [], to = [] }, i) => {
    const at = `spec.egress[${i}]`;
    errors.push(
      ...ports.flatMap((it, j) => validatePort(it, `${at}.ports[${j}]`)),
      ...to.flatMap((it, j) => validatePeer(it, `${at}.to[${j}]`)),
    );
  });
  const { policyTypes = [] } = spec;
  if (policyTypes.length > 2) {
    return [...errors, invalid('spec.policyTypes', policyTypes, 'may not specify more than two policyTypes')];
  }
  policyTypes.forEach((it, i) => {
    if (it !== 'Ingress' && it !== 'Egress') {
      errors.push(notSupported(`spec.policyTypes[${i}]`, it, ['Ingress', 'Egress']));
    }
  });
  return errors;
}

const { column } = columnsOf<V1NetworkPolicy>();

export const networkPolicyKind = defineKind(networkpolicies, {
  defaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    spec.podSelector ??= {};
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    }
    if ((spec.policyTypes?.length ?? 0) === 0) {
      spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    }
  },
  hasGeneration: true,
  validate: validatePolicy,
  columns: [
    nameColumn,
    column('Pod-Selector', 'The pods to which this policy applies.', (it) => formatSelector(it.spec?.podSelector)),
    ageColumn,
  ],
});
