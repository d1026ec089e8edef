import type { V1ContainerPort, V1Pod, V1PodAffinity, V1PodTemplateSpec, V1Volume } from '../../api/generated/types.ts';
import { dns1123Label } from '../../api/names.ts';
import { tryParseQuantity } from '../../api/quantity.ts';
import type { Loose } from '../draft.ts';
import { type ContainerPlace, containersOf } from './pod-facts.ts';

const oldAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

const oldNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

const oldVolumes: readonly (readonly [keyof V1Volume, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

const fractional = (amount: string | undefined): string | undefined => {
  const quantity = tryParseQuantity(amount);
  return quantity && quantity.nano % 1_000_000_000n !== 0n ? quantity.text : undefined;
};

function amountWarnings(list: Readonly<Record<string, string | undefined>> | undefined, path: string): string[] {
  return ['memory', 'ephemeral-storage'].flatMap((name) => {
    const text = fractional(list?.[name]);
    return text
      ? [`${path}[${name}]: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`]
      : [];
  });
}

function envWarnings({ container, path }: ContainerPlace): string[] {
  const seen = new Set<string>();
  return (container.env ?? []).flatMap(({ name = '', value = '', valueFrom }, i) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    // A value that takes up the earlier one is meant; everything else hides it.
    const ref = `$(${name})`;
    return !valueFrom && value !== ref && value.includes(ref)
      ? []
      : [
          `${path}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
        ];
  });
}

function portWarnings(places: readonly ContainerPlace[]): string[] {
  const warnings: string[] = [];
  const all = new Map<string, { at: string; port: Loose<V1ContainerPort> }[]>();
  const names = new Map<string, string>();
  const named: string[] = [];
  for (const { container, path } of places) {
    container.ports?.forEach((port, i) => {
      const at = `${path}.ports[${i}]`;
      const key = `${port.containerPort ?? 0}/${port.protocol ?? ''}`;
      const others = all.get(key) ?? [];
      for (const other of others) {
        const [hostIp, otherIp] = [port.hostIP ?? '', other.port.hostIP ?? ''];
        const [hostPort, otherPort] = [port.hostPort ?? 0, other.port.hostPort ?? 0];
        if (hostIp === otherIp && hostPort === otherPort) {
          warnings.push(`${at}: duplicate port definition with ${other.at}`);
        } else if (hostPort === 0 || otherPort === 0) {
          warnings.push(`${at}: overlapping port definition with ${other.at}`);
        } else if (hostPort === otherPort && (hostIp === '') !== (otherIp === '')) {
          warnings.push(`${at}: dangerously ambiguous port definition with ${other.at}`);
        }
      }
      all.set(key, [...others, { at, port }]);
      if (!port.name) return;
      const first = names.get(port.name);
      if (first === undefined) names.set(port.name, at);
      else {
        named.push(
          `${at}: duplicate port name ${JSON.stringify(port.name)} with ${first}, services and probes that select ports by name will use ${first}`,
        );
      }
    });
  }
  return [...warnings, ...named];
}

function affinityWarnings(affinity: Loose<V1PodAffinity> | undefined, path: string): string[] {
  const says = 'a null labelSelector results in matching no pod';
  const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
  const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
  return [
    ...(affinity?.[hard] ?? []).flatMap((it, i) =>
      it.labelSelector ? [] : [`${path}.${hard}[${i}].labelSelector: ${says}`],
    ),
    ...(affinity?.[soft] ?? []).flatMap((it, i) =>
      it.podAffinityTerm?.labelSelector ? [] : [`${path}.${soft}[${i}].podAffinityTerm.labelSelector: ${says}`],
    ),
  ];
}

function repeated(values: readonly (string | undefined)[], what: string, at: (i: number) => string): string[] {
  return values.flatMap((value, i) =>
    values.indexOf(value) < i ? [`${at(i)}: duplicate ${what} ${JSON.stringify(value ?? '')}`] : [],
  );
}

/** Warnings for the writer of a pod template at `path` (pkg/api/pod GetWarningsForPodTemplate). */
export function podTemplateWarnings(
  template: Loose<V1PodTemplateSpec> | Loose<V1Pod> | undefined,
  path = '',
): string[] {
  if (!template) return [];
  const { spec = {}, metadata = {} } = template;
  const root = path === '' ? '' : `${path}.`;
  const at = `${root}spec`;
  const warnings: string[] = [];
  for (const key in spec.nodeSelector) {
    if (oldNodeLabels[key]) warnings.push(`${at}.nodeSelector[${key}]: ${oldNodeLabels[key]}`);
  }
  spec.topologySpreadConstraints?.forEach(({ topologyKey = '', labelSelector }, i) => {
    const where = `${at}.topologySpreadConstraints[${i}]`;
    const says = oldNodeLabels[topologyKey];
    if (says) warnings.push(`${where}.topologyKey: ${topologyKey} is ${says}`);
    if (!labelSelector) {
      warnings.push(`${where}.labelSelector: a null labelSelector results in matching no pod`);
    }
  });
  for (const key in oldAnnotations) {
    if (metadata.annotations?.[key] !== undefined) {
      warnings.push(`${root}metadata.annotations[${key}]: ${oldAnnotations[key]}`);
    }
  }
  spec.volumes?.forEach((volume, i) => {
    for (const [field, says] of oldVolumes) {
      if (volume[field]) warnings.push(`${at}.volumes[${i}].${field === 'storageos' ? 'storageOS' : field}: ${says}`);
    }
  });
  warnings.push(
    ...repeated(
      (spec.hostAliases ?? []).map((it) => it.ip),
      'ip',
      (i) => `${at}.hostAliases[${i}].ip`,
    ),
    ...repeated(
      (spec.imagePullSecrets ?? []).map((it) => it.name),
      'name',
      (i) => `${at}.imagePullSecrets[${i}].name`,
    ),
  );
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if (!name) warnings.push(`${at}.imagePullSecrets[${i}].name: invalid empty name ""`);
  });
  warnings.push(...amountWarnings(spec.overhead, `${at}.overhead`));
  const places = containersOf({ spec } as Loose<V1Pod>, at);
  for (const place of places) {
    const { resources } = place.container;
    const limits = amountWarnings(resources?.limits, `${place.path}.resources.limits`);
    const requests = amountWarnings(resources?.requests, `${place.path}.resources.requests`);
    warnings.push(...limits, ...requests, ...envWarnings(place));
  }
  warnings.push(...portWarnings(places));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const says = 'must be >= 0; negative values are invalid and will be treated as 1';
    warnings.push(`${at}.terminationGracePeriodSeconds: ${says}`);
  }
  return [
    ...warnings,
    ...affinityWarnings(spec.affinity?.podAffinity, `${at}.affinity.podAffinity`),
    ...affinityWarnings(spec.affinity?.podAntiAffinity, `${at}.affinity.podAntiAffinity`),
  ];
}

/** Warnings for the writer of a pod. Updates give none. */
export function podWarnings(pod: Loose<V1Pod>, old: Loose<V1Pod> | undefined): string[] {
  if (old) return [];
  const reasons = dns1123Label(pod.metadata?.name ?? '');
  const hostname =
    reasons.length > 0
      ? [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${reasons.join(' ')}]`,
        ]
      : [];
  return [...hostname, ...podTemplateWarnings(pod)];
}
