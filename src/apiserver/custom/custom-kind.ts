/** A version of a CustomResourceDefinition as a kind like any other (apiextensions-apiserver, registry/customresource). */
import { decodeInto } from '../../api/decode.ts';
import { dropNulls, fillDefaults } from '../../api/default-fill.ts';
import { copyJson, type Draft, equalJson, isRecord } from '../../api/draft.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import type {
  V1CustomResourceDefinition,
  V1CustomResourceDefinitionVersion,
  V1ObjectMeta,
} from '../../api/generated/types.ts';
import { parseJsonPath, printJsonPath } from '../../api/json-path.ts';
import { prune } from '../../api/prune.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import type { StructuralSchema } from '../../api/schema.ts';
import { builtinSchema } from '../../api/schemas.ts';
import { validateListTypes, validateSchema } from '../../api/validate-schema.ts';
import type { KindDefinition, SubresourceStrategy } from '../../kinds/kind.ts';
import { subdomainName, validateObjectMeta, validateObjectMetaUpdate } from '../../kinds/object-meta.ts';
import { customColumns } from './custom-columns.ts';

/** Checks the rules in CEL that a schema holds; `old` is the object before, on updates. */
export type RuleCheck = (object: unknown, old: unknown) => readonly FieldError[];

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** The schema that the server works with: the definition's own, and what every object has besides. */
export function servedSchema(version: V1CustomResourceDefinitionVersion): StructuralSchema {
  const own = (version.schema?.openAPIV3Schema ?? {}) as StructuralSchema;
  return {
    ...own,
    type: 'object',
    properties: {
      ...own.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: objectMeta },
    },
  };
}

function resourceOf(crd: V1CustomResourceDefinition, version: V1CustomResourceDefinitionVersion): Resource {
  const { group, scope } = crd.spec;
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  const { status, scale } = version.subresources ?? {};
  const subresources = [
    ...(status ? [{ name: 'status', kind: names.kind, verbs: ['get', 'patch', 'update'] }] : []),
    ...(scale
      ? [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] }]
      : []),
  ];
  return {
    group,
    version: version.name,
    plural: names.plural,
    singular: names.singular || names.kind.toLowerCase(),
    kind: names.kind,
    namespaced: scope === 'Namespaced',
    verbs,
    ...(names.shortNames && { shortNames: names.shortNames }),
    ...(names.categories && { categories: names.categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}

/** Embedded objects' metadata is read like any other; of the root too. */
function decodeMetadata(object: Draft, kind: string, version: string): readonly string[] {
  const raw = object['metadata'];
  if (raw === undefined || raw === null) {
    delete object['metadata'];
    return [];
  }
  const { object: metadata, unknown } = decodeInto(
    { type: 'object', properties: { metadata: { $ref: objectMeta } } },
    { metadata: raw },
    { kind, version },
  );
  object['metadata'] = metadata['metadata'] ?? {};
  return unknown;
}

/** Embedded resources must say what they are (schema/objectmeta/validation.go). */
function checkEmbedded(value: unknown, schema: StructuralSchema | undefined, path: string): readonly FieldError[] {
  if (!schema) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => [...checkEmbedded(item, schema.items, `${path}[${index}]`)]);
  }
  if (!isRecord(value)) return [];
  const errors: FieldError[] = [];
  if (schema['x-kubernetes-embedded-resource']) {
    for (const field of ['apiVersion', 'kind']) {
      const text = value[field];
      if (typeof text !== 'string' || text === '') {
        errors.push({ type: 'FieldValueRequired', field: `${path}.${field}`, detail: 'must not be empty' });
      }
    }
    const metadata = value['metadata'];
    if (metadata !== undefined && !isRecord(metadata)) {
      errors.push(invalid(`${path}.metadata`, metadata, 'must be of type object'));
    }
  }
  for (const field of Object.keys(value)) {
    const property =
      schema.properties?.[field] ?? (isRecord(schema.additionalProperties) ? schema.additionalProperties : undefined);
    errors.push(
      ...checkEmbedded(
        value[field],
        property as StructuralSchema | undefined,
        path === '' ? field : `${path}.${field}`,
      ),
    );
  }
  return errors;
}

const withoutMeta = (object: Draft): Draft => {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return rest;
};

const meta = (object: Draft): Draft => {
  const known = object['metadata'];
  if (isRecord(known)) return known;
  const made: Draft = {};
  object['metadata'] = made;
  return made;
};

function keepDeletion(next: Draft, old: KubeObject): void {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata ?? {};
  if (deletionTimestamp === undefined) return;
  meta(next)['deletionTimestamp'] = deletionTimestamp;
  if (deletionGracePeriodSeconds !== undefined) meta(next)['deletionGracePeriodSeconds'] ??= deletionGracePeriodSeconds;
}

/** One served version as a kind. `checkRules` is there when the schema has rules in CEL. */
export function customKind(
  crd: V1CustomResourceDefinition,
  version: V1CustomResourceDefinitionVersion,
  checkRules: RuleCheck | undefined,
): KindDefinition {
  const resource = resourceOf(crd, version);
  const schema = servedSchema(version);
  const own = (version.schema?.openAPIV3Schema ?? {}) as StructuralSchema;
  const hasStatus = version.subresources?.status !== undefined;
  const { scale } = version.subresources ?? {};
  const storage = (crd.spec.versions.find((it) => it.storage && it.served) ?? crd.spec.versions.find((it) => it.served))
    ?.name;
  const { group, kind, namespaced } = resource;
  const { properties: _properties, ...structure } = own;
  /** The schema without metadata: that was checked as what it is. */
  const body: StructuralSchema = {
    ...structure,
    properties: Object.fromEntries(Object.entries(own.properties ?? {}).filter(([name]) => name !== 'metadata')),
  };

  const checkBody = (object: KubeObject, old: KubeObject | undefined): readonly FieldError[] => {
    const { metadata: _metadata, ...rest } = object as Draft;
    const before = old && withoutMetadata(old as Draft);
    const found = validateSchema(rest, body, before === undefined ? {} : { old: before });
    const errors = [...found.filter((error) => error.field !== 'metadata'), ...checkEmbedded(rest, body, '')];
    errors.push(...validateListTypes(rest, body));
    // Rules may lean on the types that the schema promises, so they are looked at only when it holds.
    if (errors.length === 0 && checkRules) errors.push(...checkRules(object, old));
    return errors;
  };

  const status: SubresourceStrategy = {
    prepareForUpdate(next, old) {
      const from = old as Draft;
      const managed = meta(next)['managedFields'];
      const resourceVersion = meta(next)['resourceVersion'];
      for (const field of Object.keys(next)) if (field !== 'status' && !(field in from)) delete next[field];
      for (const field of Object.keys(from))
        if (field !== 'status') next[field] = field === 'metadata' ? copyJson(from[field]) : from[field];
      if (managed !== undefined) meta(next)['managedFields'] = managed;
      if (resourceVersion !== undefined) meta(next)['resourceVersion'] = resourceVersion;
    },
    validateUpdate: (next, old) => [...validateObjectMetaUpdate(next.metadata, old.metadata), ...checkBody(next, old)],
  };

  const toVersion = (object: Draft, name: string): Draft => {
    object['apiVersion'] = `${group}/${name}`;
    return object;
  };
  const warning = version.deprecated
    ? (version.deprecationWarning ?? `${group}/${version.name} ${kind} is deprecated`)
    : undefined;
  const selectable = Object.fromEntries(
    (version.selectableFields ?? []).map(({ jsonPath }) => {
      const path = parseJsonPath(`{${jsonPath}}`);
      return [jsonPath.slice(1), (object: KubeObject) => printJsonPath(path, object)];
    }),
  );

  return {
    resource,
    schema: () => schema,
    ...(storage !== undefined &&
      storage !== version.name && {
        storage: {
          version: storage,
          toStorage: (object: Draft) => toVersion(object, storage),
          fromStorage(object: Draft) {
            const converted = toVersion(object, version.name);
            prune(converted, own);
            fillDefaults(converted, own);
            return converted;
          },
        },
      }),
    decode(raw) {
      const object = raw;
      const unknown = [...decodeMetadata(object, kind, version.name)];
      const metadata = object['metadata'];
      for (const path of prune(object, own)) unknown.push(`unknown field "${path}"`);
      if (metadata !== undefined) object['metadata'] = metadata;
      dropNulls(object, body);
      return { object, unknown };
    },
    defaults(object) {
      fillDefaults(object, body);
    },
    prepareForCreate(object) {
      if (hasStatus) delete object['status'];
      meta(object)['generation'] = 1;
    },
    prepareForUpdate(next, old) {
      keepDeletion(next, old);
      const from = old as Draft;
      if (hasStatus) {
        if (from['status'] === undefined) delete next['status'];
        else next['status'] = from['status'];
      }
      const same = hasStatus
        ? equalJson(withoutMeta(next), withoutMeta(from))
        : equalJson(withoutMetadata(next), withoutMetadata(from));
      const before = old.metadata?.generation ?? 0;
      meta(next)['generation'] = same ? before : before + 1;
    },
    validate: (object) => [
      ...validateObjectMeta(object.metadata as V1ObjectMeta | undefined, namespaced, subdomainName),
      ...checkBody(object, undefined),
    ],
    validateUpdate: (next, old) => [...validateObjectMetaUpdate(next.metadata, old.metadata), ...checkBody(next, old)],
    ...(warning !== undefined && { warnings: () => [warning] }),
    ...(hasStatus && { subresources: { status } }),
    ...(scale && {
      scale: {
        specReplicas: scale.specReplicasPath,
        statusReplicas: scale.statusReplicasPath,
        ...(scale.labelSelectorPath && { selector: scale.labelSelectorPath }),
      },
    }),
    columns: customColumns(version),
    ...(version.selectableFields && { selectableFields: selectable }),
    hasGeneration: true,
    validateName: subdomainName,
  };
}

const withoutMetadata = (object: Draft): Draft => {
  const { metadata: _metadata, ...rest } = object;
  return rest;
};

/** Every served version of a definition as kinds; `checkRulesOf` gives the check of a version's rules in CEL, where it has any. */
export function customKinds(
  crd: V1CustomResourceDefinition,
  checkRulesOf: (schema: StructuralSchema) => RuleCheck | undefined,
): readonly KindDefinition[] {
  return crd.spec.versions
    .filter((version) => version.served)
    .map((version) => customKind(crd, version, checkRulesOf(servedSchema(version))));
}

/** True where any part of the schema holds rules in CEL. */
export function hasRules(schema: StructuralSchema | undefined): boolean {
  if (!schema) return false;
  if (schema['x-kubernetes-validations']?.length) return true;
  return (
    hasRules(schema.items) ||
    (typeof schema.additionalProperties === 'object' && hasRules(schema.additionalProperties)) ||
    Object.values(schema.properties ?? {}).some((property) => hasRules(property)) ||
    (schema.allOf ?? []).some((part) => hasRules(part))
  );
}

/** The schema of metadata, for those who walk a served schema. */
export const metadataSchema = (): StructuralSchema => builtinSchema(objectMeta);
