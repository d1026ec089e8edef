import { type Draft, isRecord } from './draft.ts';
import type { StructuralSchema } from './schema.ts';
import { resolveRef } from './schemas.ts';

const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Removes fields that a structural schema does not name, in place; the root counts as an embedded resource, whose apiVersion, kind
 * and metadata stay. Gives the paths of what was removed, sorted (apiextensions-apiserver, schema/pruning/algorithm.go).
 */
export function prune(value: unknown, schema: StructuralSchema): readonly string[] {
  const removed: string[] = [];
  pruneValue(value, { ...resolveRef(schema), 'x-kubernetes-embedded-resource': true }, '', removed);
  return removed.sort();
}

const under = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);

function pruneValue(value: unknown, schema: StructuralSchema | undefined, path: string, removed: string[]): void {
  if (Array.isArray(value)) {
    const items = schema?.items && resolveRef(schema.items);
    const keep = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
    if (keep && !items) return;
    value.forEach((item, index) => {
      pruneValue(item, items, `${path}[${index}]`, removed);
    });
  } else if (isRecord(value)) pruneObject(value, schema, path, removed);
}

function pruneObject(value: Draft, schema: StructuralSchema | undefined, path: string, removed: string[]): void {
  const embedded = schema?.['x-kubernetes-embedded-resource'] === true;
  const keep = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  for (const field of Object.keys(value)) {
    if (embedded && metaFields.has(field)) continue;
    const property =
      schema?.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
    if (property) pruneValue(value[field], resolveRef(property), under(path, field), removed);
    else if (typeof schema?.additionalProperties === 'object') {
      pruneValue(value[field], resolveRef(schema.additionalProperties), under(path, field), removed);
    } else if (!keep && schema?.additionalProperties !== true) {
      if (path !== '' || !metaFields.has(field)) removed.push(under(path, field));
      delete value[field];
    }
  }
}
