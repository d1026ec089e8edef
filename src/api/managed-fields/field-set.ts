/**
 * Sets of field paths as immutable tries, shared where equal. After sigs.k8s.io/structured-merge-diff/fieldpath; the wire form is FieldsV1.
 */
import { deepFreeze } from '../../base/freeze.ts';
import { isRecord } from '../draft.ts';

/**
 * A node stands for a path; its children are the paths one element longer. Elements are written as in FieldsV1: `f:name`,
 * `k:{"name":"x"}`, `v:"x"`, `i:0`.
 */
export interface FieldSet {
  /** The path itself belongs to the set. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const none: ReadonlyMap<string, FieldSet> = new Map();
export const emptySet: FieldSet = Object.freeze({ member: false, children: none });
/** The set of one path: this very place. */
export const leafSet: FieldSet = Object.freeze({ member: true, children: none });

export const isEmptySet = (set: FieldSet): boolean => !set.member && set.children.size === 0;

/** A node of these parts; empty children fall away. */
export function nodeOf(member: boolean, children: Map<string, FieldSet>): FieldSet {
  if (children.size === 0) return member ? leafSet : emptySet;
  return { member, children };
}

export function unionSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  let children: Map<string, FieldSet> | undefined;
  for (const [element, child] of b.children) {
    const own = a.children.get(element);
    const merged = own ? unionSets(own, child) : child;
    if (merged !== own) {
      children ??= new Map(a.children);
      children.set(element, merged);
    }
  }
  if (!children && (a.member || !b.member)) return a;
  return { member: a.member || b.member, children: children ?? a.children };
}

/** What is in `a` and not in `b`, path by path. */
export function subtractSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return emptySet;
  let children: Map<string, FieldSet> | undefined;
  for (const [element, child] of b.children) {
    const own = a.children.get(element);
    if (!own) continue;
    const rest = subtractSets(own, child);
    if (rest === own) continue;
    children ??= new Map(a.children);
    if (isEmptySet(rest)) children.delete(element);
    else children.set(element, rest);
  }
  const member = a.member && !b.member;
  if (!children && member === a.member) return a;
  return nodeOf(member, children ?? new Map(a.children));
}

/** What is in `a` and neither in `b` nor below a path of `b`. */
export function subtractTrees(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member) return emptySet;
  let children: Map<string, FieldSet> | undefined;
  for (const [element, child] of b.children) {
    const own = a.children.get(element);
    if (!own) continue;
    const rest = subtractTrees(own, child);
    if (rest === own) continue;
    children ??= new Map(a.children);
    if (isEmptySet(rest)) children.delete(element);
    else children.set(element, rest);
  }
  return children ? nodeOf(a.member, children) : a;
}

export function intersectSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of b.children) {
    const own = a.children.get(element);
    const both = own && intersectSets(own, child);
    if (both && !isEmptySet(both)) children.set(element, both);
  }
  return nodeOf(a.member && b.member, children);
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (!other || !equalSets(child, other)) return false;
  }
  return true;
}

type FieldsV1 = Readonly<Record<string, unknown>>;

const parsed = new WeakMap<object, FieldSet>();
const written = new WeakMap<FieldSet, FieldsV1>();

function readNode(fields: unknown, isRoot: boolean): FieldSet {
  if (!isRecord(fields)) return leafSet;
  const children = new Map<string, FieldSet>();
  let member = false;
  let size = 0;
  for (const element of Object.keys(fields)) {
    size++;
    if (element === '.') member = true;
    else children.set(element, readNode(fields[element], false));
  }
  return nodeOf(member || (size === 0 && !isRoot), children);
}

/** Reads FieldsV1. Frozen values are read once only. */
export function readFields(fields: unknown): FieldSet {
  if (!isRecord(fields)) return emptySet;
  const known = parsed.get(fields);
  if (known) return known;
  const set = readNode(fields, true);
  if (Object.isFrozen(fields)) parsed.set(fields, set);
  return set;
}

const leafFields: FieldsV1 = Object.freeze({});

function writeNode(set: FieldSet): FieldsV1 {
  if (set === leafSet) return leafFields;
  const out: Record<string, unknown> = {};
  if (set.member && set.children.size > 0) out['.'] = leafFields;
  for (const element of [...set.children.keys()].sort()) {
    const child = set.children.get(element);
    if (child) out[element] = writeNode(child);
  }
  return Object.freeze(out);
}

/** Writes FieldsV1, elements sorted. The result is frozen and shared by all who own the same. */
export function writeFields(set: FieldSet): FieldsV1 {
  const known = written.get(set);
  if (known) return known;
  const out = shareFields(writeNode(set));
  // Whole sets alone are remembered: their parts are seldom met by themselves.
  if (out !== leafFields && !parsed.has(out)) {
    written.set(set, out);
    parsed.set(out, set);
  }
  return out;
}

/** The FieldsV1 values met last, by their JSON. Objects made by the same client from the same template own the same fields. */
let shared = new Map<string, FieldsV1>();
const mostShared = 4096;
/** Longer ones are seldom met twice. */
const longestShared = 16_384;

/** The one value that all equal FieldsV1 are replaced with, frozen: thousands of pods of one template then hold it once. */
export function shareFields(fields: FieldsV1): FieldsV1 {
  const text = JSON.stringify(fields);
  if (text.length > longestShared) return deepFreeze(fields);
  const known = shared.get(text);
  if (known) return known;
  if (shared.size >= mostShared) shared = new Map();
  shared.set(text, deepFreeze(fields));
  return fields;
}

/** `.spec`, `[name="x",protocol="TCP"]`, `[="x"]`, `[0]`: one element as messages show it. */
function showElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${rest}`;
    case 'k:': {
      const keys = JSON.parse(rest) as Readonly<Record<string, unknown>>;
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`;
    }
    case 'v:':
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}

/** Every path of the set as text: `.spec.template.spec.containers[name="a"].image`. */
export function showPaths(set: FieldSet, prefix = ''): readonly string[] {
  const paths: string[] = set.member ? [prefix] : [];
  for (const [element, child] of set.children) paths.push(...showPaths(child, prefix + showElement(element)));
  return paths;
}

/** The set of these whole subtrees: dotted names of fields, such as `status` or `metadata.labels`. */
export function subtrees(paths: readonly string[]): FieldSet {
  let set = emptySet;
  for (const path of paths) {
    let node = leafSet;
    for (const field of path.split('.').reverse()) node = { member: false, children: new Map([[`f:${field}`, node]]) };
    set = unionSets(set, node);
  }
  return set;
}
