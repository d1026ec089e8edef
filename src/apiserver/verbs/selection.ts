import {
  badFieldSelector,
  type FieldRequirement,
  FieldSelectorError,
  parseFieldSelector,
  unknownField,
  unsupportedField,
} from '../../api/field-selector.ts';
import type { RequestOptions } from '../../api/handler.ts';
import { badLabelSelector, matchesLabels, parseLabelSelector, SelectorError } from '../../api/label-selector.ts';
import type { Live } from '../../api/resource.ts';
import type { KindDefinition } from '../../kinds/kind.ts';

/** What a list, watch or deletecollection selects. */
export interface Selection {
  /** From `metadata.name=x`. */
  readonly name?: string;
  /** From `metadata.namespace=x`. */
  readonly namespace?: string;
  /** Undefined where nothing but name and namespace is asked for. */
  readonly matches?: (object: Live) => boolean;
}

const everything: Selection = Object.freeze({});

/** Reads label and field selectors against a kind. Throws BadRequest for bad ones. */
export function selectionOf(kind: KindDefinition, options: RequestOptions): Selection {
  const { labelSelector, fieldSelector } = options;
  if (!labelSelector && !fieldSelector) return everything;
  const labels = labelSelector ? readLabels(labelSelector) : [];
  const fields = fieldSelector ? readFields(kind, fieldSelector) : [];
  const exact = (field: string): string | undefined =>
    fields.find((it) => it.field === field && it.operator === '=')?.value;
  const name = exact('metadata.name');
  const namespace = exact('metadata.namespace');
  const rest = fields.filter(
    (it) => !(it.operator === '=' && it.field.startsWith('metadata.')) || it.value !== exact(it.field),
  );
  const readers = rest.map((it) => readerOf(kind, it));
  const matches =
    labels.length === 0 && readers.length === 0
      ? undefined
      : (object: Live): boolean => {
          for (const reads of readers) if (!reads(object)) return false;
          return labels.length === 0 || matchesLabels(labels, object.metadata.labels);
        };
  return {
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(matches && { matches }),
  };
}

const readLabels = (text: string): ReturnType<typeof parseLabelSelector> => {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw error instanceof SelectorError ? badLabelSelector(error) : error;
  }
};

function readFields(kind: KindDefinition, text: string): readonly FieldRequirement[] {
  let fields: readonly FieldRequirement[];
  try {
    fields = parseFieldSelector(text);
  } catch (error) {
    throw error instanceof FieldSelectorError ? badFieldSelector(error) : error;
  }
  for (const { field } of fields) {
    if (field === 'metadata.name' || field === 'metadata.namespace') continue;
    if (kind.selectableFields && Object.hasOwn(kind.selectableFields, field)) continue;
    throw kind.selectableFields ? unsupportedField(field) : unknownField(field);
  }
  return fields;
}

function readerOf(kind: KindDefinition, { field, operator, value }: FieldRequirement): (object: Live) => boolean {
  const equal = operator === '=';
  if (field === 'metadata.name') return (object) => (object.metadata.name === value) === equal;
  if (field === 'metadata.namespace') return (object) => ((object.metadata.namespace ?? '') === value) === equal;
  const read = kind.selectableFields?.[field];
  return (object) => ((read?.(object) ?? '') === value) === equal;
}
