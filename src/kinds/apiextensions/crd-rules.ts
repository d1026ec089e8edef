/** Validation of CustomResourceDefinitions (apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go). */

import { equalJson } from '../../api/draft.ts';
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type {
  V1CustomResourceColumnDefinition,
  V1CustomResourceConversion,
  V1CustomResourceDefinition,
  V1CustomResourceDefinitionNames,
  V1CustomResourceDefinitionSpec,
  V1CustomResourceDefinitionVersion,
  V1CustomResourceSubresources,
} from '../../api/generated/types.ts';
import { dns1035Label, dns1123Subdomain } from '../../api/names.ts';
import type { StructuralSchema } from '../../api/schema.ts';
import { checkStructural } from '../../api/structural-check.ts';

const label = (value: string, path: string, prefix = ''): readonly FieldError[] => {
  const reasons = dns1035Label(prefix === '' ? value : value.toLowerCase());
  return value !== '' && reasons.length > 0 ? [invalid(path, value, prefix + reasons.join(','))] : [];
};

const mixedCase = 'may have mixed case, but should otherwise match: ';

function checkNames(names: V1CustomResourceDefinitionNames): readonly FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names;
  const errors: FieldError[] = [];
  for (const [field, value] of Object.entries({ plural, singular, kind, listKind })) {
    if (value === '') errors.push(required(`spec.names.${field}`));
  }
  errors.push(
    ...label(plural, 'spec.names.plural'),
    ...label(singular, 'spec.names.singular'),
    ...label(kind, 'spec.names.kind', mixedCase),
    ...label(listKind, 'spec.names.listKind', mixedCase),
    ...shortNames.flatMap((name, index) => label(name, `spec.names.shortNames[${index}]`)),
  );
  if (kind !== '' && kind === listKind) {
    errors.push(invalid('spec.names.listKind', listKind, 'kind and listKind may not be the same'));
  }
  return [...errors, ...categories.flatMap((name, index) => label(name, `spec.names.categories[${index}]`))];
}

const simplePath = (text: string, path: string): readonly FieldError[] => {
  if (text === '') return [invalid(path, text, 'must not be empty')];
  return text.startsWith('.') ? [] : [invalid(path, text, 'must be a simple json path starting with .')];
};

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function checkColumn(column: V1CustomResourceColumnDefinition, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const oneOf = `must be one of ${columnTypes.join(',')}`;
  if (!column.name) errors.push(required(`${path}.name`));
  if (!column.type) errors.push(required(`${path}.type`, oneOf));
  else if (!columnTypes.includes(column.type)) errors.push(invalid(`${path}.type`, column.type, oneOf));
  if (column.format && !columnFormats.includes(column.format)) {
    errors.push(invalid(`${path}.format`, column.format, `must be one of ${columnFormats.join(',')}`));
  }
  if (!column.jsonPath) errors.push(required(`${path}.JSONPath`));
  else errors.push(...simplePath(column.jsonPath, `${path}.JSONPath`));
  return errors;
}

function checkSubresources(
  subresources: V1CustomResourceSubresources | undefined,
  path: string,
): readonly FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const under = (text: string | undefined, field: string, prefix: string): readonly FieldError[] => {
    const at = `${path}.scale.${field}`;
    if (!text) return [required(at)];
    const errors = simplePath(text, at);
    if (errors.length > 0 || text.startsWith(prefix)) return errors;
    return [invalid(at, text, `should be a json path under ${prefix.slice(0, -1)}`)];
  };
  const { labelSelectorPath } = scale;
  const at = `${path}.scale.labelSelectorPath`;
  const selector = labelSelectorPath ? simplePath(labelSelectorPath, at) : [];
  const misplaced =
    labelSelectorPath && selector.length === 0 && !/^\.(?:spec|status)\./.test(labelSelectorPath)
      ? [invalid(at, labelSelectorPath, 'should be a json path under either .spec or .status')]
      : [];
  return [
    ...under(scale.specReplicasPath, 'specReplicasPath', '.spec.'),
    ...under(scale.statusReplicasPath, 'statusReplicasPath', '.status.'),
    ...selector,
    ...misplaced,
  ];
}

/** The schema at a selectable field's path; undefined where it leads through lists or to nothing. */
function schemaAt(schema: StructuralSchema, path: string): StructuralSchema | undefined {
  let at: StructuralSchema | undefined = schema;
  for (const field of path.split('.').slice(1)) at = at?.properties?.[field];
  return at;
}

function checkSelectable(version: V1CustomResourceDefinitionVersion, path: string): readonly FieldError[] {
  const { selectableFields = [], schema } = version;
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  selectableFields.forEach(({ jsonPath }, index) => {
    const at = `${path}.selectableFields[${index}].jsonPath`;
    if (!jsonPath) {
      errors.push(required(at));
      return;
    }
    const found = schema?.openAPIV3Schema && schemaAt(schema.openAPIV3Schema as StructuralSchema, jsonPath);
    if (!jsonPath.startsWith('.') || /[[\]*]/.test(jsonPath)) {
      errors.push(invalid(at, jsonPath, 'is an invalid path: must be a simple json path starting with .'));
    } else if (/^\.metadata(?:\.|$)/.test(jsonPath)) {
      errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    } else if (!found) errors.push(invalid(at, jsonPath, 'is an invalid path: does not exist in the schema'));
    else if (!['string', 'integer', 'boolean'].includes(found.type ?? '')) {
      errors.push(
        invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    }
    if (seen.has(jsonPath)) errors.push({ type: 'FieldValueDuplicate', field: at, badValue: jsonPath, detail: '' });
    seen.add(jsonPath);
  });
  if (seen.size > 8) {
    errors.push({
      type: 'FieldValueTooMany',
      field: `${path}.selectableFields`,
      badValue: seen.size,
      detail: 'must have at most 8 items',
    });
  }
  return errors;
}

/** What may stand at the root of a schema besides the structure, once status is a subresource of its own. */
const allowedAtRoot = new Set([
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'enum',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
  'nullable',
]);

function checkVersion(version: V1CustomResourceDefinitionVersion, path: string): readonly FieldError[] {
  const errors: FieldError[] = label(version.name ?? '', `${path}.name`) as FieldError[];
  const out = [...errors];
  const warning = version.deprecationWarning;
  if (warning !== undefined && !version.deprecated) {
    out.push(invalid(`${path}.deprecationWarning`, warning, 'can only be set for deprecated versions'));
  } else if (warning !== undefined && warning.length > 256) {
    out.push(invalid(`${path}.deprecationWarning`, warning, 'must be <= 256 characters long'));
  }
  const at = `${path}.schema.openAPIV3Schema`;
  const schema = version.schema?.openAPIV3Schema as StructuralSchema | undefined;
  if (!schema) out.push(required(at));
  else {
    if (version.subresources?.status) {
      const foreign = Object.keys(schema).find((field) => !allowedAtRoot.has(field));
      if (schema.type !== 'object') {
        const detail =
          'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
        out.push(invalid(`${path}.schema.openAPIV3Schema.type`, schema.type ?? '', detail));
      } else if (foreign) {
        const detail =
          'only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Enum Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled';
        out.push(invalid(at, schema, detail));
      }
    }
    out.push(...checkStructural(schema, at));
  }
  return [
    ...out,
    ...checkSubresources(version.subresources, `${path}.subresources`),
    ...(version.additionalPrinterColumns ?? []).flatMap((column, index) =>
      checkColumn(column, `${path}.additionalPrinterColumns[${index}]`),
    ),
    ...checkSelectable(version, path),
  ];
}

function checkConversion(conversion: V1CustomResourceConversion | undefined): readonly FieldError[] {
  if (!conversion) return [];
  const at = 'spec.conversion';
  const { strategy, webhook } = conversion;
  if (!strategy) return [required(`${at}.strategy`)];
  if (strategy !== 'None' && strategy !== 'Webhook')
    return [notSupported(`${at}.strategy`, strategy, ['None', 'Webhook'])];
  if (strategy === 'None') {
    const detail = 'should not be set when strategy is not set to Webhook';
    return webhook?.clientConfig ? [forbiddenField(`${at}.webhookClientConfig`, detail)] : [];
  }
  const config = webhook?.clientConfig;
  if (!config) return [required(`${at}.webhookClientConfig`, 'required when strategy is set to Webhook')];
  const errors: FieldError[] = [];
  if ((config.url === undefined) === (config.service === undefined)) {
    errors.push(required(`${at}.webhookClientConfig`, 'exactly one of url or service is required'));
  }
  const versions = webhook.conversionReviewVersions ?? [];
  if (versions.length === 0) errors.push(required(`${at}.conversionReviewVersions`));
  else if (!versions.some((version) => version === 'v1' || version === 'v1beta1')) {
    errors.push(invalid(`${at}.conversionReviewVersions`, versions, 'must include at least one of v1, v1beta1'));
  }
  return errors;
}

function checkSpec(spec: V1CustomResourceDefinitionSpec): readonly FieldError[] {
  const { group = '', scope, versions = [] } = spec;
  const errors: FieldError[] = [];
  const reasons = dns1123Subdomain(group);
  if (group === '') errors.push(required('spec.group'));
  else if (reasons.length > 0) errors.push(invalid('spec.group', group, reasons.join(',')));
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  if (!scope) errors.push(required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  }
  if (spec.preserveUnknownFields) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  versions.forEach((version, index) => {
    errors.push(...checkVersion(version, `spec.versions[${index}]`));
  });
  if (new Set(versions.map((version) => version.name)).size !== versions.length) {
    errors.push(invalid('spec.versions', versions, 'must contain unique version names'));
  }
  if (versions.filter((version) => version.storage).length !== 1) {
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  }
  return [...errors, ...checkNames(spec.names ?? {}), ...checkConversion(spec.conversion)];
}

/** A version that objects may be stored in must not be forgotten. */
export function validateStoredVersions(crd: V1CustomResourceDefinition): readonly FieldError[] {
  const stored = crd.status?.storedVersions ?? [];
  const path = 'status.storedVersions';
  if (stored.length === 0) return [invalid(path, stored, 'must have at least one stored version')];
  const known = new Set(crd.spec.versions.map((version) => version.name));
  const storage = crd.spec.versions.find((version) => version.storage)?.name;
  return [
    ...(storage !== undefined && !stored.includes(storage)
      ? [invalid(path, stored, `must have the storage version ${storage}`)]
      : []),
    ...stored.flatMap((version, index) =>
      known.has(version)
        ? []
        : [
            invalid(
              `${path}[${index}]`,
              version,
              `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
            ),
          ],
    ),
  ];
}

const approvalKey = 'api-approved.kubernetes.io';

/** Groups of the Kubernetes community want a link to their approval. */
function checkApproval(crd: V1CustomResourceDefinition): readonly FieldError[] {
  const { group = '' } = crd.spec;
  const isProtected = ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`));
  if (!isProtected) return [];
  const field = `metadata.annotations[${approvalKey}]`;
  const annotation = crd.metadata?.annotations?.[approvalKey];
  if (annotation === undefined || annotation === '') {
    return [
      required(
        field,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    ];
  }
  if (annotation.startsWith('unapproved') || (URL.canParse(annotation) && new URL(annotation).host !== '')) return [];
  return [
    invalid(
      field,
      annotation,
      `protected groups must have approval annotation "${approvalKey}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
    ),
  ];
}

export function validateCustomResourceDefinition(crd: V1CustomResourceDefinition): readonly FieldError[] {
  if (!crd.spec) return [required('spec')];
  const { name = '' } = crd.metadata ?? {};
  const { group = '', names } = crd.spec;
  const wanted = `${names?.plural ?? ''}.${group}`;
  return [
    ...(name !== wanted ? [invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')] : []),
    ...checkSpec(crd.spec),
    ...validateStoredVersions(crd),
    ...checkApproval(crd),
  ];
}

export function validateCustomResourceDefinitionUpdate(
  next: V1CustomResourceDefinition,
  old: V1CustomResourceDefinition,
): readonly FieldError[] {
  if (!next.spec) return [required('spec')];
  const established = old.status?.conditions?.some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );
  const fixed = (field: string, now: unknown, before: unknown): readonly FieldError[] =>
    equalJson(now, before) ? [] : [invalid(`spec.${field}`, now, 'field is immutable')];
  const approval = checkApproval(next);
  return [
    ...checkSpec(next.spec),
    ...(established
      ? [
          ...fixed('scope', next.spec.scope, old.spec.scope),
          ...fixed('names.kind', next.spec.names.kind, old.spec.names.kind),
        ]
      : []),
    ...fixed('group', next.spec.group, old.spec.group),
    ...fixed('names.plural', next.spec.names.plural, old.spec.names.plural),
    ...validateStoredVersions(next),
    ...(approval.length > 0 && checkApproval(old).length > 0 ? [] : approval),
  ];
}
