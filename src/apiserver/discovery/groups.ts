import type { KindDefinition } from '../../kinds/kind.ts';
import { isCustom } from '../storage/keys.ts';

export interface ServedVersion {
  readonly version: string;
  readonly kinds: readonly KindDefinition[];
}

export interface ServedGroup {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly ServedVersion[];
}

/** Rank of a version as Kubernetes sorts them: v2, v1, v1beta2, v1beta1, v1alpha1, others (apimachinery/pkg/version/helpers.go). */
export function compareVersions(a: string, b: string): number {
  const left = rank(a);
  const right = rank(b);
  for (let i = 0; i < 3; i++) {
    const difference = (right[i] ?? 0) - (left[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : Number(a > b);
}

const stability: Readonly<Record<string, number>> = { '': 3, beta: 2, alpha: 1 };

function rank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return [0, 0, 0];
  return [stability[match[2] ?? ''] ?? 0, Number(match[1]), Number(match[3] ?? 0)];
}

/** The kinds by group and version: built-in groups in their order, then those of custom resources by name. */
export function groupKinds(kinds: readonly KindDefinition[]): readonly ServedGroup[] {
  const groups = new Map<string, Map<string, KindDefinition[]>>();
  const custom = new Set<string>();
  for (const kind of kinds) {
    const { group, version } = kind.resource;
    let versions = groups.get(group);
    if (!versions) {
      versions = new Map();
      groups.set(group, versions);
      if (isCustom(kind.resource)) custom.add(group);
    }
    const known = versions.get(version);
    if (known) known.push(kind);
    else versions.set(version, [kind]);
  }
  const all = [...groups].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .map(([version, members]) => ({ version, kinds: members }))
      .sort((a, b) => compareVersions(a.version, b.version)),
  }));
  const later = all.filter((it) => custom.has(it.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...all.filter((it) => !custom.has(it.name)), ...later];
}
