/**
 * Walks of values along a schema: what sets of fields they have, how two differ, how one is laid over another. After
 * sigs.k8s.io/structured-merge-diff/typed.
 */
import { copyJson, type Draft, equalJson, getOwn, isRecord, setOwn } from '../draft.ts';
import type { StructuralSchema } from '../schema.ts';
import { fieldSchema, itemSchema } from '../schemas.ts';
import { emptySet, type FieldSet, leafSet, nodeOf, unionSets } from './field-set.ts';

export type Schema = StructuralSchema | undefined;

type Shape = 'atom' | 'map' | 'set' | 'keyed';

/** How a value is owned: whole, field by field, or item by item. Lists are atoms unless their schema says otherwise. */
function shapeOf(value: unknown, schema: Schema): Shape {
  if (Array.isArray(value)) {
    switch (schema?.['x-kubernetes-list-type']) {
      case 'set':
        return 'set';
      case 'map':
        return 'keyed';
      default:
        return 'atom';
    }
  }
  if (!isRecord(value)) return 'atom';
  return schema?.['x-kubernetes-map-type'] === 'atomic' ? 'atom' : 'map';
}

const isNamed = (schema: Schema, field: string): boolean =>
  schema?.properties !== undefined && Object.hasOwn(schema.properties, field);
const childSchema = (schema: Schema, field: string): Schema => schema && fieldSchema(schema, field);

/** The path element of a list's item; undefined where a key is missing and has no default. */
function elementOf(item: unknown, shape: Shape, schema: Schema): string | undefined {
  if (shape === 'set') return typeof item === 'object' && item !== null ? undefined : `v:${JSON.stringify(item)}`;
  if (!isRecord(item)) return undefined;
  const keys: Record<string, unknown> = {};
  let present = false;
  for (const key of [...(schema?.['x-kubernetes-list-map-keys'] ?? [])].sort()) {
    const items = schema && itemSchema(schema);
    const value = getOwn(item, key) ?? (items && fieldSchema(items, key)?.default);
    if (value === undefined || value === null) continue;
    present = true;
    keys[key] = value;
  }
  return present ? `k:${JSON.stringify(keys)}` : undefined;
}

/** Items by element, in order; undefined where the list cannot be owned item by item (a key missing, an item twice). */
function itemsOf(list: readonly unknown[], shape: Shape, schema: Schema): Map<string, unknown> | undefined {
  const items = new Map<string, unknown>();
  for (const item of list) {
    const element = elementOf(item, shape, schema);
    if (element === undefined || items.has(element)) return undefined;
    items.set(element, item);
  }
  return items;
}

/** The fields that a value sets: leaves, atoms, items of lists and keys of maps. */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  const shape = shapeOf(value, schema);
  if (shape === 'atom') return leafSet;
  const children = new Map<string, FieldSet>();
  if (shape === 'map') {
    const record = value as Draft;
    for (const field of Object.keys(record)) {
      const entry = record[field];
      const inner = fieldsOf(entry, childSchema(schema, field));
      const whole = entry === null || (isRecord(entry) && Object.keys(entry).length === 0) || !isNamed(schema, field);
      const node = whole && !inner.member ? nodeOf(true, new Map(inner.children)) : inner;
      if (node.member || node.children.size > 0) children.set(`f:${field}`, node);
    }
    return nodeOf(false, children);
  }
  const items = itemsOf(value as readonly unknown[], shape, schema);
  if (!items) return leafSet;
  const inner = schema && itemSchema(schema);
  for (const [element, item] of items) {
    children.set(element, nodeOf(true, new Map(shape === 'set' ? [] : fieldsOf(item, inner).children)));
  }
  return nodeOf(false, children);
}

/** How one value differs from another. */
export interface Difference {
  /** Fields that are new or have another value. */
  readonly set: FieldSet;
  readonly removed: FieldSet;
}

const same: Difference = { set: emptySet, removed: emptySet };

/**
 * All of a value that came or went: maps, lists and items count themselves, structs only where they are empty. A required list is there
 * from the start, as null, in Go's empty object, so its coming does not count.
 */
function wholly(value: unknown, schema: Schema): FieldSet {
  const shape = shapeOf(value, schema);
  if (shape === 'atom') return leafSet;
  const children = new Map<string, FieldSet>();
  if (shape === 'map') {
    const record = value as Draft;
    for (const field of Object.keys(record)) {
      const node = wholly(record[field], childSchema(schema, field));
      const there = Array.isArray(record[field]) && node.children.size > 0 && schema?.required?.includes(field);
      children.set(`f:${field}`, there ? { member: false, children: node.children } : node);
    }
    return nodeOf(schema?.properties === undefined || children.size === 0, children);
  }
  const items = itemsOf(value as readonly unknown[], shape, schema);
  const inner = schema && itemSchema(schema);
  for (const [element, item] of items ?? []) {
    children.set(element, shape === 'set' ? leafSet : { member: true, children: wholly(item, inner).children });
  }
  return nodeOf(true, children);
}

const isEmptyValue = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0);

/** The difference from `before` to `after`; undefined stands for absent. Equal references are not looked into. */
export function compareValues(before: unknown, after: unknown, schema: Schema): Difference {
  if (before === after) return same;
  if (before === undefined || before === null) {
    if (after === undefined || after === null) return same;
    return { set: wholly(after, schema), removed: emptySet };
  }
  if (after === undefined || after === null) {
    return { set: emptySet, removed: unionSets(leafSet, wholly(before, schema)) };
  }
  const shape = shapeOf(after, schema);
  if (shape !== shapeOf(before, schema) || shape === 'atom' || (isEmptyValue(before) && isEmptyValue(after))) {
    return equalJson(before, after) ? same : { set: wholly(after, schema), removed: emptySet };
  }
  const set = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  const note = (element: string, difference: Difference): void => {
    if (difference.set !== emptySet) set.set(element, difference.set);
    if (difference.removed !== emptySet) removed.set(element, difference.removed);
  };
  if (shape === 'map') {
    const left = before as Draft;
    const right = after as Draft;
    for (const field of Object.keys(right)) {
      note(`f:${field}`, compareValues(getOwn(left, field), right[field], childSchema(schema, field)));
    }
    for (const field of Object.keys(left)) {
      if (!Object.hasOwn(right, field))
        note(`f:${field}`, compareValues(left[field], undefined, childSchema(schema, field)));
    }
  } else {
    const left = itemsOf(before as readonly unknown[], shape, schema);
    const right = itemsOf(after as readonly unknown[], shape, schema);
    if (!left || !right) return equalJson(before, after) ? same : { set: leafSet, removed: emptySet };
    const inner = schema && itemSchema(schema);
    for (const [element, item] of right) {
      if (left.has(element)) note(element, compareValues(left.get(element), item, inner));
      else set.set(element, unionSets(leafSet, wholly(item, inner)));
    }
    for (const [element, item] of left)
      if (!right.has(element)) removed.set(element, unionSets(leafSet, wholly(item, inner)));
  }
  if (set.size === 0 && removed.size === 0) return same;
  return { set: nodeOf(false, set), removed: nodeOf(false, removed) };
}

/** Items of both lists: the applied order, with what only lives kept as near to its neighbours as that allows. */
function overlayList(live: readonly unknown[], applied: readonly unknown[], shape: Shape, schema: Schema): unknown[] {
  const left = itemsOf(live, shape, schema);
  const right = itemsOf(applied, shape, schema);
  if (!left || !right) return copyJson(applied) as unknown[];
  const inner = schema && itemSchema(schema);
  const out: unknown[] = [];
  const done = new Set<string>();
  const wanted = [...right.keys()];
  const present = [...left.keys()];
  let next = 0;
  let from = 0;
  while (next < wanted.length || from < present.length) {
    const old = present[from];
    if (old !== undefined && (!right.has(old) || done.has(old))) {
      if (!done.has(old)) out.push(copyJson(left.get(old)));
      from++;
      continue;
    }
    const element = wanted[next];
    if (element === undefined) break;
    out.push(overlay(left.get(element), right.get(element), inner));
    done.add(element);
    next++;
  }
  return out;
}

/** `applied` laid over `live`: maps and keyed lists are merged, all else is taken from `applied`. A new value. */
export function overlay(live: unknown, applied: unknown, schema: Schema): unknown {
  const shape = shapeOf(applied, schema);
  if (live === undefined || live === null || shape === 'atom' || shape !== shapeOf(live, schema))
    return copyJson(applied);
  if (shape !== 'map') return overlayList(live as unknown[], applied as unknown[], shape, schema);
  const left = live as Draft;
  const right = applied as Draft;
  const out: Draft = {};
  for (const field of Object.keys(left)) {
    setOwn(
      out,
      field,
      Object.hasOwn(right, field)
        ? overlay(left[field], right[field], childSchema(schema, field))
        : copyJson(left[field]),
    );
  }
  for (const field of Object.keys(right)) if (!Object.hasOwn(left, field)) setOwn(out, field, copyJson(right[field]));
  return out;
}

/**
 * Takes away, in place, what `last` names and nobody in `kept` holds, whole subtrees at a time. True when the value has become empty by it.
 */
export function removeUnowned(value: unknown, last: FieldSet, kept: FieldSet, schema: Schema): boolean {
  const shape = shapeOf(value, schema);
  if (shape === 'atom') return false;
  let removed = false;
  if (shape === 'map') {
    const record = value as Draft;
    for (const [element, owned] of last.children) {
      const field = element.slice(2);
      if (!element.startsWith('f:') || !Object.hasOwn(record, field)) continue;
      const holder = kept.children.get(element);
      const goes = holder
        ? removeUnowned(record[field], owned, holder, childSchema(schema, field)) && !holder.member
        : owned.member ||
          isNamed(schema, field) ||
          removeUnowned(record[field], owned, emptySet, childSchema(schema, field));
      if (goes) {
        delete record[field];
        removed = true;
      }
    }
    return removed && Object.keys(record).length === 0;
  }
  const list = value as unknown[];
  const items = itemsOf(list, shape, schema);
  if (!items) return false;
  const inner = schema && itemSchema(schema);
  for (const [element, item] of items) {
    const owned = last.children.get(element);
    if (!owned) continue;
    const holder = kept.children.get(element);
    if (holder) removeUnowned(item, owned, holder, inner);
    else if (owned.member) {
      list.splice(list.indexOf(item), 1);
      removed = true;
    }
  }
  return removed && list.length === 0;
}
