/** What a JSONPath template gives for data: see json-path-parser.ts for what it can say. */
import { getOwn, isRecord } from './draft.ts';
import { goPrint } from './go-format.ts';
import { goRegExp } from './go-regexp.ts';
import { fail, type JsonPath, JsonPathError, type Step } from './json-path-parser.ts';

export { type JsonPath, JsonPathError, parseJsonPath, relaxedJsonPath } from './json-path-parser.ts';

interface Run {
  readonly allowMissing: boolean;
  begin: number;
  depth: number;
  end: number;
}

const absent = (value: unknown): boolean => value === null || value === undefined;

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isRecord(value)) return Object.values(value);
  return [];
}

function descend(values: readonly unknown[], out: unknown[]): unknown[] {
  for (const value of values) {
    const inner = childrenOf(value);
    if (inner.length === 0) continue;
    out.push(value);
    descend(inner, out);
  }
  return out;
}

function takeSlice(values: readonly unknown[], step: Extract<Step, { type: 'slice' }>): readonly unknown[] {
  const out: unknown[] = [];
  for (const value of values) {
    if (absent(value)) continue;
    if (!Array.isArray(value)) return fail(`${goPrint(value)} is not array or slice`);
    const length = value.length;
    let from = step.from ?? 0;
    if (from < 0) from += length;
    let to = step.to ?? length;
    if (to < 0 || (to === 0 && step.derived)) to += length;
    if (from === to) return out;
    if (from >= length || from < 0) return fail(`array index out of bounds: index ${from}, length ${length}`);
    if (to > length || to < 0) return fail(`array index out of bounds: index ${to - 1}, length ${length}`);
    if (from > to) return fail(`starting index ${from} is greater than ending index ${to}`);
    const by = step.step ?? 1;
    if (by <= 0) return fail('step must be > 0');
    for (let i = from; i < to; i += by) out.push(value[i]);
  }
  return out;
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (operator === '=~') {
    if (typeof left !== 'string' || typeof right !== 'string') return fail('regexp search only support string');
    return goRegExp(right)?.test(left) ?? fail(`error parsing regexp: ${right}`);
  }
  const comparable = typeof left === typeof right && typeof left !== 'object';
  if (!comparable) return fail('incompatible types for comparison');
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return (left as number) < (right as number);
    case '>':
      return (left as number) > (right as number);
    case '<=':
      return (left as number) <= (right as number);
    case '>=':
      return (left as number) >= (right as number);
    default:
      return fail(`unrecognized filter operator ${operator}`);
  }
}

function takeFiltered(
  run: Run,
  values: readonly unknown[],
  step: Extract<Step, { type: 'filter' }>,
): readonly unknown[] {
  const out: unknown[] = [];
  for (const value of values) {
    if (!Array.isArray(value)) return fail(`${goPrint(value)} is not array or slice and cannot be filtered`);
    for (const item of value) {
      let lefts: readonly unknown[] = [];
      try {
        lefts = walk(run, [item], step.left);
      } catch (error) {
        if (!(error instanceof JsonPathError) || step.operator !== 'exists') throw error;
      }
      if (step.operator === 'exists') {
        if (lefts.length > 0) out.push(item);
        continue;
      }
      const rights = walk(run, [item], step.right);
      if (lefts.length === 0 || rights.length === 0) continue;
      if (lefts.length > 1 || rights.length > 1) return fail('can only compare one element at a time');
      if (compare(lefts[0], step.operator, rights[0])) out.push(item);
    }
  }
  return out;
}

function takeStep(run: Run, values: readonly unknown[], step: Step): readonly unknown[] {
  switch (step.type) {
    case 'text':
      return [step.text];
    case 'literal':
      return values.map(() => step.value);
    case 'field': {
      if (values.length === 0) return [];
      const found = values
        .filter(isRecord)
        .filter((value) => Object.hasOwn(value, step.name))
        .map((value) => getOwn(value, step.name));
      return found.length > 0 || run.allowMissing ? found : fail(`${step.name} is not found`);
    }
    case 'identifier':
      if (step.name === 'range') run.begin++;
      else if (step.name !== 'end') return fail(`unrecognized identifier ${step.name}`);
      else if (run.depth === 0) return fail('not in range, nothing to end');
      else {
        run.end++;
        return [];
      }
      return values;
    case 'wildcard':
      return values.flatMap((value) => [...childrenOf(value)]);
    case 'recursive':
      return descend(values, []);
    case 'slice':
      return takeSlice(values, step);
    case 'union':
      return step.paths.flatMap((path) => [...walk(run, values, path)]);
    case 'filter':
      return takeFiltered(run, values, step);
  }
}

const walk = (run: Run, values: readonly unknown[], steps: readonly Step[]): readonly unknown[] =>
  steps.reduce<readonly unknown[]>((current, step) => takeStep(run, current, step), values);

/** Runs parts from `at` on; stops behind the `end` of the innermost range and gives where that was. */
function runParts(run: Run, path: JsonPath, data: unknown, at: number, out: (readonly unknown[])[]): number {
  for (let i = at; i < path.parts.length; i++) {
    const results = walk(run, [data], path.parts[i] ?? []);
    if (run.end > 0 && run.end <= run.depth) {
      run.end--;
      return i;
    }
    if (run.begin > 0) {
      run.begin--;
      run.depth++;
      let last = path.parts.length;
      for (const value of results) last = runParts(run, path, value, i + 1, out);
      if (results.length === 0) last = runParts({ ...run, allowMissing: true }, path, undefined, i + 1, []);
      run.depth--;
      i = last;
      continue;
    }
    out.push(results);
  }
  return path.parts.length;
}

/** The values of each part of the template, in order. Throws `JsonPathError`. */
export function findJsonPath(
  path: JsonPath,
  data: unknown,
  options: { readonly allowMissing?: boolean } = {},
): readonly (readonly unknown[])[] {
  const out: (readonly unknown[])[] = [];
  runParts({ allowMissing: options.allowMissing ?? false, begin: 0, depth: 0, end: 0 }, path, data, 0, out);
  return out;
}

function showValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) return JSON.stringify(sortKeys(value));
  return goPrint(value);
}

/** Go writes maps with their keys sorted. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}

/** The template's text for the data: `kubectl get -o jsonpath=…`. Missing fields are left out unless told otherwise. Throws `JsonPathError`. */
export function printJsonPath(
  path: JsonPath,
  data: unknown,
  options: { readonly allowMissing?: boolean } = {},
): string {
  return findJsonPath(path, data, { allowMissing: options.allowMissing ?? true })
    .map((results) => results.map(showValue).join(' '))
    .join('');
}

/** The values at a simple path such as `.spec.replicas`, nothing where it leads nowhere. Throws `JsonPathError` for a bad path. */
export function valuesAt(path: JsonPath, data: unknown): readonly unknown[] {
  try {
    return findJsonPath(path, data, { allowMissing: true })[0] ?? [];
  } catch (error) {
    if (error instanceof JsonPathError) return [];
    throw error;
  }
}
