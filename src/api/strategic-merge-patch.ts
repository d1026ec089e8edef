/**
 * Strategic merge: like a merge patch, but lists whose schema names a merge key are merged by it, and directives say what a plain
 * merge cannot. After k8s.io/apimachinery/pkg/util/strategicpatch (StrategicMergeMapPatch).
 */
import { copyJson, type Draft, equalJson, isRecord, setOwn } from './draft.ts';
import { goPrint } from './go-format.ts';
import { PatchError } from './patch-error.ts';
import type { StructuralSchema } from './schema.ts';
import { fieldSchema, itemSchema, resolveRef } from './schemas.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

const malformed = (message: string): never => {
  throw new PatchError('malformed', message);
};
const failed = (message: string): never => {
  throw new PatchError('failed', message);
};
const noMergeKey = (map: unknown, key: string): never =>
  failed(`map: ${goPrint(map)} does not contain declared merge key: ${key}`);
const badPatchType = (type: unknown, map: unknown): never =>
  failed(`unknown patch type: ${goPrint(type)} in map: ${goPrint(map)}`);

type Schema = StructuralSchema | undefined;
const under = (schema: Schema, key: string): Schema => schema && fieldSchema(schema, key);
const strategyOf = (schema: Schema): string | undefined =>
  schema?.['x-kubernetes-patch-strategy']?.split(',').find((strategy) => strategy !== 'retainKeys');
const mergeKeyOf = (schema: Schema): string => schema?.['x-kubernetes-patch-merge-key'] ?? '';

/** Takes directives out of a value that is added whole; undefined where the value itself is a directive. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isRecord(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  const out: Draft = {};
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]);
    if (kept !== undefined) setOwn(out, key, kept);
  }
  return out;
}

/** Nulls in a value that is added whole delete nothing: they are dropped. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const out: Draft = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(out, key, withoutNulls(value[key]));
  return out;
}

function place(target: Draft, key: string, value: unknown): void {
  const kept = withoutDirectives(withoutNulls(value));
  if (kept === undefined) delete target[key];
  else setOwn(target, key, kept);
}

function elementsAreMaps(...lists: readonly unknown[][]): boolean {
  const items = lists.flat();
  const kindOf = (item: unknown): string => (isRecord(item) ? 'map' : typeof item);
  for (const item of items) {
    if (Array.isArray(item)) throw new PatchError('unprocessable', 'lists of lists are not supported');
    if (kindOf(item) !== kindOf(items[0])) failed(`list element types are not identical: ${goPrint(lists)}`);
  }
  return isRecord(items[0]);
}

/** What identifies an item: its merge key's value, or the item itself. */
const identity = (item: unknown, mergeKey: string): unknown =>
  mergeKey !== '' && isRecord(item) ? item[mergeKey] : item;
const sameItem = (a: unknown, b: unknown, mergeKey: string): boolean =>
  equalJson(identity(a, mergeKey), identity(b, mergeKey));
const indexIn = (order: readonly unknown[], item: unknown, mergeKey: string): number =>
  order.findIndex((other) => sameItem(other, item, mergeKey));

function sortBy(items: readonly unknown[], order: readonly unknown[], mergeKey: string): unknown[] {
  return [...items].sort((a, b) => indexIn(order, a, mergeKey) - indexIn(order, b, mergeKey));
}

/**
 * Items named by the patch keep the patch's order, the others the live order; between both the live order decides as far as it can.
 */
function orderItems(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const named = sortBy(
    merged.filter((item) => indexIn(patchOrder, item, mergeKey) >= 0),
    patchOrder,
    mergeKey,
  );
  const others = sortBy(
    merged.filter((item) => indexIn(patchOrder, item, mergeKey) < 0),
    liveOrder,
    mergeKey,
  );
  const out: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const limit = indexIn(liveOrder, item, mergeKey);
    while (next < others.length) {
      const at = indexIn(liveOrder, others[next], mergeKey);
      if (at < 0 || limit < 0 || at >= limit) break;
      out.push(others[next++]);
    }
    out.push(item);
  }
  return [...out, ...others.slice(next)];
}

function mergeMapItems(live: unknown[], patch: readonly unknown[], mergeKey: string, schema: Schema): unknown[] {
  if (mergeKey === '') failed('cannot merge lists without merge key');
  let merged = live;
  let replace = false;
  const ordinary: Draft[] = [];
  for (const item of patch as readonly Draft[]) {
    if (!Object.hasOwn(item, directive)) {
      ordinary.push(item);
      continue;
    }
    switch (item[directive]) {
      case 'delete':
        if (!Object.hasOwn(item, mergeKey)) noMergeKey(item, mergeKey);
        merged = merged.filter((other) => !sameItem(other, item, mergeKey));
        break;
      case 'replace':
        replace = true;
        break;
      case 'merge':
        failed('merging lists cannot yet be specified in the patch');
        break;
      default:
        badPatchType(item[directive], item);
    }
  }
  if (replace) return ordinary.map((item) => withoutDirectives(item));
  const items = [...merged];
  for (const item of ordinary) {
    if (!Object.hasOwn(item, mergeKey)) noMergeKey(item, mergeKey);
    const at = items.findIndex(
      (other) => isRecord(other) && Object.hasOwn(other, mergeKey) && sameItem(other, item, mergeKey),
    );
    const before = items[at];
    if (at >= 0 && isRecord(before)) items[at] = mergeMap(before, item, schema);
    else items.push(withoutDirectives(withoutNulls(item)));
  }
  for (const item of items) if (isRecord(item) && !Object.hasOwn(item, mergeKey)) noMergeKey(item, mergeKey);
  return orderItems(items, ordinary, merged, mergeKey);
}

function mergeList(live: unknown[], patch: unknown[], schema: Schema, isDeletion: boolean): unknown[] {
  if (strategyOf(schema) !== 'merge' && !isDeletion) return patch;
  if (live.length === 0 && patch.length === 0) return live;
  if (elementsAreMaps(live, patch)) {
    const items = schema && itemSchema(schema);
    return mergeMapItems(live, patch, mergeKeyOf(schema), items);
  }
  if (isDeletion) return live.filter((item) => !patch.includes(item));
  return orderItems([...new Set([...live, ...patch])], patch, live, '');
}

function keepOnly(target: Draft, patch: Draft): void {
  const list = patch[retainKeys];
  if (!Array.isArray(list)) throw new PatchError('malformed', 'invalid patch format of retainKeys');
  for (const key of Object.keys(patch)) {
    const exempt =
      key === retainKeys || patch[key] === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
    if (!exempt && !list.includes(key)) malformed('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(target)) if (!list.includes(key)) delete target[key];
}

/** Every item the patch sets must stand in the order list, in the same order. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return;
  let at = 0;
  const set = patch.filter((item) => !(isRecord(item) && Object.hasOwn(item, directive)));
  for (const item of order) if (at < set.length && sameItem(set[at], item, mergeKey)) at++;
  if (at < set.length) {
    failed(`The order in patch list:\n${goPrint(patch)}\n doesn't match $setElementOrder list:\n${goPrint(order)}\n`);
  }
}

/** Applies `$setElementOrder/x` together with `x`; returns the keys of the patch that are done with. */
function applyOrders(target: Draft, patch: Draft, schema: Schema): ReadonlySet<string> {
  const done = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    done.add(key);
    const field = key.slice(orderPrefix.length);
    const order = patch[key];
    const live = target[field];
    const change = patch[field];
    if (!Array.isArray(order)) return malformed('invalid patch format of setElementOrder list');
    if (Object.hasOwn(patch, field) && !Array.isArray(change))
      malformed('invalid patch format of setElementOrder list');
    const listSchema = under(schema, field);
    const mergeKey = mergeKeyOf(listSchema);
    if (Array.isArray(change)) checkOrder(change, order, mergeKey);
    let merged: unknown[];
    if (Array.isArray(live) && Array.isArray(change)) merged = mergeList(live, change, listSchema, false);
    else if (Array.isArray(live)) merged = live;
    else if (Array.isArray(change)) merged = withoutDirectives(withoutNulls(change)) as unknown[];
    else continue;
    const removals = patch[`${deletePrefix}${field}`];
    if (Array.isArray(removals)) merged = merged.filter((item) => !removals.includes(item));
    setOwn(target, field, orderItems(merged, order, Array.isArray(live) ? live : [], mergeKey));
    done.add(field);
  }
  return done;
}

/** Changes and returns `target`. */
function mergeMap(target: Draft, patch: Draft, schema: Schema): Draft {
  if (Object.hasOwn(patch, directive)) {
    const { [directive]: kind, ...rest } = patch;
    if (kind === 'replace') return rest;
    if (kind === 'delete') return {};
    return badPatchType(kind, patch);
  }
  if (Object.hasOwn(patch, retainKeys)) keepOnly(target, patch);
  const done = applyOrders(target, patch, schema);
  for (const patchKey of Object.keys(patch)) {
    if (patchKey === retainKeys || done.has(patchKey)) continue;
    const isDeletion = patchKey.startsWith(deletePrefix);
    const key = isDeletion ? patchKey.slice(deletePrefix.length) : patchKey;
    const change = patch[patchKey];
    const live = Object.hasOwn(target, key) ? target[key] : undefined;
    if (change === null) delete target[key];
    else if (isRecord(live) && isRecord(change)) {
      const inner = under(schema, key);
      setOwn(target, key, strategyOf(inner) === 'replace' ? withoutDirectives(change) : mergeMap(live, change, inner));
    } else if (Array.isArray(live) && Array.isArray(change)) {
      setOwn(target, key, mergeList(live, change, under(schema, key), isDeletion));
    } else if (!isDeletion) place(target, key, change);
  }
  return target;
}

/** The object with the patch merged in; shares nothing with its inputs. Throws `PatchError`. */
export function strategicMerge(schema: StructuralSchema, original: Draft, patch: Draft): Draft {
  return mergeMap(copyJson(original), copyJson(patch), resolveRef(schema));
}
