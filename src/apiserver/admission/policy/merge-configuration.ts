import { copyJson, isRecord } from '../../../api/draft.ts';
import type { StructuralSchema } from '../../../api/schema.ts';

const keyOf = (item: unknown, keys: readonly string[]): string =>
  isRecord(item) ? JSON.stringify(keys.map((key) => item[key])) : JSON.stringify(item);

/**
 * Merges an apply configuration into an object as server-side apply would: maps field by field, lists of type map by their keys, sets by value,
 * all else replaced. Returns a new value.
 */
export function mergeConfiguration(object: unknown, applied: unknown, schema: StructuralSchema | undefined): unknown {
  if (isRecord(object) && isRecord(applied)) {
    const merged = { ...object };
    const more = schema?.additionalProperties;
    for (const [name, value] of Object.entries(applied)) {
      const below = schema?.properties?.[name] ?? (typeof more === 'object' ? more : undefined);
      merged[name] = mergeConfiguration(object[name], value, below);
    }
    return merged;
  }
  if (Array.isArray(object) && Array.isArray(applied)) {
    const type = schema?.['x-kubernetes-list-type'];
    const mergeKey = schema?.['x-kubernetes-patch-merge-key'];
    const keys = schema?.['x-kubernetes-list-map-keys'] ?? (mergeKey ? [mergeKey] : []);
    if (type === 'set') return [...object, ...applied.filter((item) => !object.includes(item))];
    if ((type === 'map' || mergeKey) && keys.length > 0) {
      const merged = [...object];
      for (const item of applied) {
        const at = merged.findIndex((known) => keyOf(known, keys) === keyOf(item, keys));
        if (at < 0) merged.push(copyJson(item));
        else merged[at] = mergeConfiguration(merged[at], item, schema?.items);
      }
      return merged;
    }
  }
  return copyJson(applied);
}
