/** The conditions of CustomResourceDefinitions and the names they may have (apiextensions-apiserver/pkg/controller). */
import type {
  V1CustomResourceDefinition,
  V1CustomResourceDefinitionCondition,
  V1CustomResourceDefinitionNames,
} from '../../api/generated/types.ts';

export type Condition = V1CustomResourceDefinitionCondition;

export const conditionOf = (crd: V1CustomResourceDefinition, type: string): Condition | undefined =>
  crd.status?.conditions?.find((condition) => condition.type === type);

export const isTrue = (crd: V1CustomResourceDefinition, type: string): boolean =>
  conditionOf(crd, type)?.status === 'True';

/** The conditions with this one in its place; its time moves only when its status does. */
export function withCondition(
  conditions: readonly Condition[],
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): readonly Condition[] {
  const known = conditions.find((it) => it.type === condition.type);
  const lastTransitionTime = known?.status === condition.status ? known.lastTransitionTime : now;
  const next: Condition = { ...condition, ...(lastTransitionTime !== undefined && { lastTransitionTime }) };
  return known ? conditions.map((it) => (it === known ? next : it)) : [...conditions, next];
}

const taken = (
  others: readonly V1CustomResourceDefinition[],
): { readonly resources: Set<string>; readonly kinds: Set<string> } => {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const names = status?.acceptedNames;
    if (!names) continue;
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
    for (const kind of [names.kind, names.listKind]) if (kind) kinds.add(kind);
  }
  return { resources, kinds };
};

type LooseNames = { -readonly [Key in keyof V1CustomResourceDefinitionNames]?: V1CustomResourceDefinitionNames[Key] };

export interface Naming {
  readonly acceptedNames: V1CustomResourceDefinitionNames;
  readonly condition: Omit<Condition, 'lastTransitionTime'>;
}

/** Which of the wanted names a definition gets, given the others of its group. Names once had are kept. */
export function acceptNames(crd: V1CustomResourceDefinition, others: readonly V1CustomResourceDefinition[]): Naming {
  const { resources, kinds } = taken(others);
  const wanted = crd.spec.names;
  const had: LooseNames = crd.status?.acceptedNames ?? {};
  const names: LooseNames = { ...had };
  let problem: { readonly reason: string; readonly message: string } | undefined;
  const free = (name: string | undefined, used: ReadonlySet<string>): boolean => !name || !used.has(name);
  const settle = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>): void => {
    const name = wanted[field];
    if (name === had[field] || free(name, used)) {
      if (name === undefined) delete names[field];
      else names[field] = name;
    } else {
      const reason = `${field.charAt(0).toUpperCase()}${field.slice(1)}Conflict`;
      problem = { reason, message: `${JSON.stringify(name)} is already in use` };
    }
  };
  settle('plural', resources);
  settle('singular', resources);
  const clashing = (wanted.shortNames ?? []).filter(
    (name) => !had.shortNames?.includes(name) && !free(name, resources),
  );
  if (clashing.length > 0) {
    const messages = clashing.map((name) => `${JSON.stringify(name)} is already in use`);
    problem = {
      reason: 'ShortNamesConflict',
      message: messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`,
    };
  } else if (wanted.shortNames) names.shortNames = wanted.shortNames;
  else delete names.shortNames;
  settle('kind', kinds);
  settle('listKind', kinds);
  if (wanted.categories) names.categories = wanted.categories;
  else delete names.categories;
  return {
    acceptedNames: { ...names, plural: names.plural ?? '', kind: names.kind ?? '' },
    condition: {
      type: 'NamesAccepted',
      status: problem ? 'False' : 'True',
      reason: problem?.reason ?? 'NoConflicts',
      message: problem?.message ?? 'no conflicts found',
    },
  };
}
