import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations, selectorText } from './describer.ts';
import { goTime, orNone, type Page } from './page.ts';

interface Rule {
  readonly ports?: readonly V1NetworkPolicyPort[] | undefined;
  readonly peers?: readonly V1NetworkPolicyPeer[] | undefined;
}

const words = {
  ingress: { peer: 'From', end: 'source' },
  egress: { peer: 'To', end: 'destination' },
} as const;

function peerLines(page: Page, { podSelector, namespaceSelector, ipBlock }: V1NetworkPolicyPeer): void {
  if (namespaceSelector) page.line(3, `NamespaceSelector: ${selectorText(namespaceSelector, '<none>')}`);
  if (podSelector) page.line(3, `PodSelector: ${selectorText(podSelector, '<none>')}`);
  if (namespaceSelector || podSelector || !ipBlock) return;
  page.line(3, 'IPBlock:');
  page.line(4, `CIDR: ${ipBlock.cidr}`);
  page.line(4, `Except: ${(ipBlock.except ?? []).join(', ')}`);
}

function rules(page: Page, direction: 'ingress' | 'egress', enabled: boolean, all: readonly Rule[]): void {
  if (!enabled) {
    page.line(1, `Not affecting ${direction} traffic`);
    return;
  }
  page.line(1, `Allowing ${direction} traffic:`);
  if (all.length === 0) {
    page.line(2, `<none> (Selected pods are isolated for ${direction} connectivity)`);
    return;
  }
  const { peer, end } = words[direction];
  all.forEach(({ ports, peers }, i) => {
    if (!ports?.length) page.line(2, 'To Port: <any> (traffic allowed to all ports)');
    for (const { port, endPort, protocol = 'TCP' } of ports ?? []) {
      const first = port ?? '<nil>';
      page.line(
        2,
        endPort === undefined ? `To Port: ${first}/${protocol}` : `To Port Range: ${first}-${endPort}/${protocol}`,
      );
    }
    if (!peers?.length) page.line(2, `${peer}: <any> (traffic not restricted by ${end})`);
    for (const one of peers ?? []) {
      page.line(2, `${peer}:`);
      peerLines(page, one);
    }
    if (i < all.length - 1) page.line(2, '----------');
  });
}

export const describeNetworkPolicy: Describer<V1NetworkPolicy> = (page, { metadata, spec }) => {
  heading(page, metadata, ['Created on', goTime(metadata.creationTimestamp)]);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Spec:');
  const selector = selectorText(spec?.podSelector);
  page.line(
    1,
    `PodSelector:     ${selector || '<none> (Allowing the specific traffic to all pods in this namespace)'}`,
  );
  const types = spec?.policyTypes ?? [];
  const ingress = (spec?.ingress ?? []).map(({ ports, from }) => ({ ports, peers: from }));
  const egress = (spec?.egress ?? []).map(({ ports, to }) => ({ ports, peers: to }));
  rules(page, 'ingress', types.includes('Ingress'), ingress);
  rules(page, 'egress', types.includes('Egress'), egress);
  page.line(1, `Policy Types: ${orNone(types.join(', '))}`);
};
