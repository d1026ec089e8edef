/** Schemas of the types that documents speak of, by name, with everything that they refer to. */
import { readFileSync } from 'node:fs';
import { type Draft, isRecord } from '../../api/draft.ts';
import type { GroupVersionKind } from '../../api/resource.ts';
import type { StructuralSchema } from '../../api/schema.ts';
import { builtinSchemas } from '../../api/schemas.ts';
import type { KindDefinition } from '../../kinds/kind.ts';
import { builtinSchemaIn, customSchemaIn, type Dialect, namedScalars, reference } from './dialect.ts';

type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;
let loaded: Descriptions | undefined;

/** The texts of `kubectl explain`; read from disk when the first document is asked for. */
function descriptions(): Descriptions {
  const url = new URL('../../api/generated/descriptions.json', import.meta.url);
  loaded ??= JSON.parse(readFileSync(url, 'utf8')) as Descriptions;
  return loaded;
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
export const objectMetaName = `${meta}.ObjectMeta`;
export const listMetaName = `${meta}.ListMeta`;
export const statusName = `${meta}.Status`;
export const deleteOptionsName = `${meta}.DeleteOptions`;

/** `com.example.stable.v1.CronTab`. */
const customName = ({ group, version, kind }: GroupVersionKind): string =>
  [...group.split('.').reverse(), version, kind].join('.');

export const definitionOf = (kind: KindDefinition): string => kind.resource.definition ?? customName(kind.resource);

let byKind: ReadonlyMap<string, string> | undefined;

/** The definition of a built-in kind by its group, version and kind. */
export function definitionByKind({ group, version, kind }: GroupVersionKind): string | undefined {
  byKind ??= new Map(
    Object.entries(builtinSchemas()).flatMap(([name, schema]) =>
      (schema['x-kubernetes-group-version-kind'] ?? []).map(
        (it) => [`${it.group}/${it.version}/${it.kind}`, name] as const,
      ),
    ),
  );
  return byKind.get(`${group}/${version}/${kind}`);
}

const apiVersionText =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const kindText =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const metadataText =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const listMetadataText =
  'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';

const gvkOf = ({ group, version, kind }: GroupVersionKind): readonly GroupVersionKind[] => [{ group, kind, version }];

function customDefinitions(dialect: Dialect, kind: KindDefinition): Readonly<Record<string, Draft>> {
  const { resource } = kind;
  const name = customName(resource);
  const own = customSchemaIn(dialect, kind.schema());
  const common = {
    apiVersion: { description: apiVersionText, type: 'string' },
    kind: { description: kindText, type: 'string' },
  };
  const listKind = { ...resource, kind: `${resource.kind}List` };
  return {
    [name]: {
      ...own,
      properties: {
        ...(isRecord(own['properties']) ? own['properties'] : {}),
        ...common,
        metadata: reference(dialect, objectMetaName, { description: metadataText }),
      },
      'x-kubernetes-group-version-kind': gvkOf(resource),
    },
    [`${name}List`]: {
      description: `${resource.kind}List is a list of ${resource.kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        ...common,
        items: {
          description: `List of ${resource.plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
          type: 'array',
          items: reference(dialect, name),
        },
        metadata: reference(dialect, listMetaName, { description: listMetadataText }),
      },
      'x-kubernetes-group-version-kind': gvkOf(listKind),
    },
  };
}

const described = (dialect: Dialect, name: string, schema: StructuralSchema, uses: (name: string) => void): Draft => {
  const texts = descriptions()[name];
  return builtinSchemaIn(dialect, schema, texts?.[''], (field) => texts?.[field], uses);
};

/** The definitions of these names and kinds, and of all that they refer to, sorted by name. */
export function collectDefinitions(
  dialect: Dialect,
  names: Iterable<string>,
  kinds: readonly KindDefinition[],
): Readonly<Record<string, Draft>> {
  const scalars = namedScalars(dialect);
  const out: Record<string, Draft> = {};
  const waiting = new Set<string>([...names, objectMetaName, listMetaName, statusName, deleteOptionsName]);
  for (const kind of kinds) {
    if (kind.resource.definition === undefined) Object.assign(out, customDefinitions(dialect, kind));
  }
  for (const name of waiting) {
    if (Object.hasOwn(out, name)) continue;
    const scalar = Object.hasOwn(scalars, name) ? scalars[name] : undefined;
    const schema = builtinSchemas()[name];
    if (scalar) out[name] = scalar;
    else if (schema) out[name] = described(dialect, name, schema, (used) => void waiting.add(used));
  }
  return Object.fromEntries(Object.entries(out).sort(([a], [b]) => (a < b ? -1 : 1)));
}
