/** Changes to parsed expressions: macros that the library does not know, and a count of the steps of every loop. */

/** The parts of a parsed expression (cel.expr.Expr) that are looked at here. */
export interface Expr {
  readonly $typeName: string;
  readonly id: bigint;
  exprKind: { readonly case: string | undefined; readonly value?: unknown };
}
interface Call {
  readonly $typeName: string;
  readonly function: string;
  readonly target?: Expr;
  readonly args: Expr[];
}
interface Comprehension {
  readonly $typeName: string;
  readonly iterVar: string;
  readonly iterVar2: string;
  readonly iterRange: Expr;
  readonly accuVar: string;
  readonly accuInit: Expr;
  readonly loopCondition: Expr;
  readonly loopStep: Expr;
  readonly result: Expr;
}
interface StructEntry {
  readonly $typeName: string;
  readonly id: bigint;
  readonly optionalEntry: boolean;
  readonly keyKind: { readonly case: string | undefined; readonly value?: unknown };
  readonly value: Expr;
}

/** The function that every turn of a loop goes through. */
export const stepFunction = '@step';
/** Gives a list's or map's entries as pairs. */
export const entriesFunction = '@entries';

let nextId = 1_000_000_000n;
const make = (kind: string, value: unknown): Expr => ({
  $typeName: 'cel.expr.Expr',
  id: nextId++,
  exprKind: { case: kind, value },
});
const call = (name: string, ...args: Expr[]): Expr =>
  make('callExpr', { $typeName: 'cel.expr.Expr.Call', function: name, args });
const ident = (name: string): Expr => make('identExpr', { $typeName: 'cel.expr.Expr.Ident', name });
const constant = (kind: string, value: unknown): Expr =>
  make('constExpr', { $typeName: 'cel.expr.Constant', constantKind: { case: kind, value } });
const listOf = (...elements: Expr[]): Expr =>
  make('listExpr', { $typeName: 'cel.expr.Expr.CreateList', elements, optionalIndices: [] });

interface Loop {
  readonly range: Expr;
  readonly variable: string;
  readonly accumulator: string;
  readonly start: Expr;
  readonly condition: Expr;
  readonly step: Expr;
}
const loop = ({ range, variable, accumulator, start, condition, step }: Loop): Expr =>
  make('comprehensionExpr', {
    $typeName: 'cel.expr.Expr.Comprehension',
    iterVar: variable,
    iterVar2: '',
    iterRange: range,
    accuVar: accumulator,
    accuInit: start,
    loopCondition: condition,
    loopStep: step,
    result: ident(accumulator),
  });

/** `cel.bind(name, value, body)`: a loop that never turns, whose accumulator is the name. */
const bind = (name: string, value: Expr, body: Expr): Expr =>
  make('comprehensionExpr', {
    $typeName: 'cel.expr.Expr.Comprehension',
    iterVar: '@unused',
    iterVar2: '',
    iterRange: listOf(),
    accuVar: name,
    accuInit: value,
    loopCondition: constant('boolValue', false),
    loopStep: ident(name),
    result: body,
  });

const nameOf = (expr: Expr | undefined): string | undefined =>
  expr?.exprKind.case === 'identExpr' ? (expr.exprKind.value as { readonly name: string }).name : undefined;

const pair = '@pair';
const accumulator = '@result';

/** A macro over entries: `list.all(i, v, cond)`, `map.exists(k, v, cond)`, `list.transformList(i, v, value)` … */
function twoVariables(name: string, target: Expr, args: readonly Expr[]): Expr | undefined {
  const [first, second, ...rest] = args;
  const key = nameOf(first);
  const value = nameOf(second);
  if (key === undefined || value === undefined) return undefined;
  const at = (index: bigint): Expr => call('_[_]', ident(pair), constant('int64Value', index));
  const within = (body: Expr): Expr => bind(key, at(0n), bind(value, at(1n), body));
  const range = call(entriesFunction, target);
  const [body, transform] = rest;
  if (!body) return undefined;
  const common = { range, variable: pair, accumulator };
  const yes = constant('boolValue', true);
  const no = constant('boolValue', false);
  const grown = (expr: Expr): Expr => call('_+_', ident(accumulator), listOf(expr));
  const result = ident(accumulator);
  switch (`${name}/${rest.length}`) {
    case 'all/1':
      return loop({
        ...common,
        start: yes,
        condition: call('@not_strictly_false', result),
        step: call('_&&_', result, within(body)),
      });
    case 'exists/1':
      return loop({
        ...common,
        start: no,
        condition: call('@not_strictly_false', call('!_', result)),
        step: call('_||_', result, within(body)),
      });
    case 'existsOne/1':
    case 'exists_one/1': {
      const one = call('_?_:_', within(body), call('_+_', result, constant('int64Value', 1n)), result);
      const count = loop({ ...common, start: constant('int64Value', 0n), condition: yes, step: one });
      return call('_==_', count, constant('int64Value', 1n));
    }
    case 'transformList/1':
      return loop({ ...common, start: listOf(), condition: yes, step: within(grown(body)) });
    case 'transformList/2':
      return (
        transform &&
        loop({
          ...common,
          start: listOf(),
          condition: yes,
          step: within(call('_?_:_', body, grown(transform), result)),
        })
      );
    case 'transformMap/1':
      return call(
        '@mapOf',
        loop({ ...common, start: listOf(), condition: yes, step: within(grown(listOf(ident(key), body))) }),
      );
    case 'transformMap/2':
      return (
        transform &&
        call(
          '@mapOf',
          loop({
            ...common,
            start: listOf(),
            condition: yes,
            step: within(call('_?_:_', body, grown(listOf(ident(key), transform)), result)),
          }),
        )
      );
    default:
      return undefined;
  }
}

function transformCall(expr: Expr, value: Call): Expr {
  const target = value.target && transform(value.target);
  const args = value.args.map(transform);
  if (value.function === 'bind' && nameOf(target) === 'cel' && args.length === 3) {
    const [name, initial, body] = args;
    const variable = nameOf(name);
    if (variable !== undefined && initial && body) return bind(variable, initial, body);
  }
  if (target && args.length >= 3) {
    const macro = twoVariables(value.function, target, args);
    if (macro) return macro;
  }
  return { ...expr, exprKind: { case: 'callExpr', value: { ...value, ...(target && { target }), args } } };
}

/** Objects of mutating policies (`Object{…}`, `JSONPatch{…}`) are maps here. */
function transformStruct(
  expr: Expr,
  value: { readonly messageName: string; readonly entries: readonly StructEntry[] },
): Expr {
  const isObject = /^(?:Object(?:\..*)?|JSONPatch)$/.test(value.messageName);
  const entries = value.entries.map((entry) => ({
    ...entry,
    value: transform(entry.value),
    ...(isObject &&
      entry.keyKind.case === 'fieldKey' && {
        keyKind: { case: 'mapKey', value: constant('stringValue', entry.keyKind.value) },
      }),
  }));
  return {
    ...expr,
    exprKind: { case: 'structExpr', value: { ...value, entries, ...(isObject && { messageName: '' }) } },
  };
}

/** The expression with macros expanded and loops counted. */
export function transform(expr: Expr): Expr {
  const { case: kind, value } = expr.exprKind;
  switch (kind) {
    case 'callExpr':
      return transformCall(expr, value as Call);
    case 'selectExpr': {
      const select = value as { readonly operand: Expr };
      return { ...expr, exprKind: { case: kind, value: { ...select, operand: transform(select.operand) } } };
    }
    case 'listExpr': {
      const list = value as { readonly elements: readonly Expr[] };
      return { ...expr, exprKind: { case: kind, value: { ...list, elements: list.elements.map(transform) } } };
    }
    case 'structExpr':
      return transformStruct(expr, value as { readonly messageName: string; readonly entries: readonly StructEntry[] });
    case 'comprehensionExpr': {
      const it = value as Comprehension;
      return {
        ...expr,
        exprKind: {
          case: kind,
          value: {
            ...it,
            iterRange: transform(it.iterRange),
            accuInit: transform(it.accuInit),
            loopCondition: call(stepFunction, transform(it.loopCondition)),
            loopStep: transform(it.loopStep),
            result: transform(it.result),
          },
        },
      };
    }
    default:
      return expr;
  }
}

/** True when the expression speaks of a variable of this name. */
export function mentions(expr: Expr, name: string): boolean {
  if (nameOf(expr) === name) return true;
  const { value } = expr.exprKind;
  const search = (part: unknown): boolean => {
    if (Array.isArray(part)) return part.some(search);
    if (typeof part !== 'object' || part === null) return false;
    if ('exprKind' in part) return mentions(part as Expr, name);
    return Object.values(part).some(search);
  };
  return search(value);
}
