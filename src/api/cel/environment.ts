/** Kubernetes' CEL environment over @bufbuild/cel. Heavy: import it lazily, through `engine.ts` or `rules.ts`. */
import {
  type CelInput,
  type CelMap,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  isCelList,
  isCelMap,
  isCelUint,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { addressFunctions } from './library/addresses.ts';
import { listFunctions } from './library/lists.ts';
import { textFunctions } from './library/text.ts';
import { showQuantity, valueFunctions } from './library/values.ts';
import { isOpaque, none, part, some } from './opaque.ts';
import { rewriteOptionals } from './rewrite.ts';
import { type Expr, mentions, stepFunction, transform } from './transform.ts';

/** Turns of loops that one evaluation may take; upstream counts a cost of a million (celconfig.PerCallLimit). */
const stepsPerCall = 1_000_000;
/** The longest expression looked at, characters. */
const longestExpression = 65_536;
export const costExceeded = 'operation cancelled: actual cost limit exceeded';

/** Evaluation is synchronous, so one counter serves all. */
let steps = 0;

const functions = [
  ...strings,
  ...listFunctions,
  ...textFunctions,
  ...valueFunctions,
  ...addressFunctions,
  celFunc(stepFunction, [CelScalar.DYN], CelScalar.DYN, (condition) => {
    if (++steps > stepsPerCall) throw new Error(costExceeded);
    return condition as CelInput;
  }),
];
const environment = celEnv({ funcs: functions });

/** cel-go's words for what evaluation can run into. */
function explain(message: string): string {
  const missing = /^field not found: (.*)$/s.exec(message);
  if (missing) return `no such key: ${missing[1]}`;
  const identifier = /^unresolved attribute(?:: |\s)(.*)$/s.exec(message);
  if (identifier) return `undeclared reference to '${identifier[1]}'`;
  if (/no matching overload/.test(message)) return 'no such overload';
  if (/divide by zero/.test(message)) return 'division by zero';
  return message;
}

export type Outcome =
  | { readonly value: CelValue; readonly error?: undefined }
  | { readonly error: string; readonly value?: undefined };

export interface Program {
  readonly run: (variables: Readonly<Record<string, CelInput>>) => Outcome;
  readonly mentions: (name: string) => boolean;
  /** Turns of loops in the last run. */
  readonly lastSteps: () => number;
}

const programs = new Map<string, Program>();

/** Compiles an expression, once. Throws `Error` where it is not well formed. */
export function compileProgram(expression: string): Program {
  const known = programs.get(expression);
  if (known) return known;
  if (expression.length > longestExpression) throw new Error('expression is too long');
  const expr = transform(parse(rewriteOptionals(expression)).expr as unknown as Expr);
  const planned = plan(environment, expr as unknown as Parameters<typeof plan>[1]);
  const program: Program = {
    run(variables) {
      steps = 0;
      try {
        const result = planned(variables);
        return result instanceof Error ? { error: explain(result.message) } : { value: result as CelValue };
      } catch (error) {
        return { error: explain(error instanceof Error ? error.message : String(error)) };
      }
    },
    mentions: (name) => mentions(expr, name),
    lastSteps: () => steps,
  };
  if (programs.size >= 4096) programs.clear();
  programs.set(expression, program);
  return program;
}

/** JSON to CEL: whole numbers are integers, objects maps. */
export function toCel(value: unknown): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    const map = new Map<string, CelInput>();
    for (const [key, item] of Object.entries(value)) if (item !== undefined) map.set(key, toCel(item));
    return map;
  }
  return (value ?? null) as CelInput;
}

const toText = compileProgram('string(x)');

/** CEL to JSON: integers are numbers, times text, an optional its value or nothing. */
export function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isCelUint(value)) return Number(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isCelList(value)) return [...value].map(fromCel);
  if (isCelMap(value)) {
    const entries: CelMap = value;
    if (isOpaque(value, 'optional'))
      return part(value, 'optional', 'has') === true ? fromCel(part(value, 'optional', 'value')) : undefined;
    if (isOpaque(value, 'quantity')) return showQuantity(part(value, 'quantity', 'nano') as bigint);
    if (isOpaque(value, 'url')) return part(value, 'url', 'text');
    if (isOpaque(value, 'ip') || isOpaque(value, 'cidr')) return toText.run({ x: value as CelInput }).value;
    const out: Record<string, unknown> = {};
    for (const [key, item] of entries) {
      const json = fromCel(item);
      if (json !== undefined) out[String(isCelUint(key) ? key.value : key)] = json;
    }
    return out;
  }
  return toText.run({ x: value as CelInput }).value;
}

export { none, some };
