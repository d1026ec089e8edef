import type { CelInput } from '@bufbuild/cel';

/** The value of an expression, or what went wrong while it was evaluated. */
export type CelOutcome =
  | { readonly value: unknown; readonly error?: undefined }
  | { readonly error: string; readonly value?: undefined };

/** A compiled expression. Variables are plain JSON values. */
export type CelProgram = (variables: Readonly<Record<string, unknown>>) => CelOutcome;

/** Compiles expressions; throws where one is not well formed. */
export interface CelEngine {
  compile(expression: string): CelProgram;
}

/** JSON to CEL: whole numbers are integers there, not doubles, and objects are maps. */
function toCel(value: unknown): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    const map = new Map<string, CelInput>();
    for (const [key, item] of Object.entries(value)) if (item !== undefined) map.set(key, toCel(item));
    return map;
  }
  return (value ?? null) as CelInput;
}

/** CEL to JSON. */
function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromCel);
  if (Symbol.iterator in value) {
    const items = [...(value as Iterable<unknown>)];
    const pairs = items.every((item) => Array.isArray(item) && item.length === 2 && 'get' in value);
    return pairs && items.length + 1 > 0 && 'get' in value && 'has' in value
      ? Object.fromEntries(items.map((item) => [String((item as unknown[])[0]), fromCel((item as unknown[])[1])]))
      : items.map(fromCel);
  }
  return value;
}

const cacheLimit = 2048;
let shared: Promise<CelEngine> | undefined;

/** The engine, loaded when the first expression needs it. */
export function loadCelEngine(): Promise<CelEngine> {
  shared ??= (async () => {
    const [{ celEnv, parse, plan }, { strings }] = await Promise.all([
      import('@bufbuild/cel'),
      import('@bufbuild/cel/ext'),
    ]);
    const env = celEnv({ funcs: strings });
    const compiled = new Map<string, CelProgram>();
    return {
      compile(expression) {
        const known = compiled.get(expression);
        if (known) return known;
        const planned = plan(env, parse(expression));
        const program: CelProgram = (variables) => {
          const bound: Record<string, CelInput> = {};
          for (const [name, value] of Object.entries(variables)) bound[name] = toCel(value);
          try {
            const result: unknown = planned(bound);
            if (result instanceof Error) return { error: explain(result.message) };
            return { value: fromCel(result) };
          } catch (error) {
            return { error: explain(error instanceof Error ? error.message : String(error)) };
          }
        };
        if (compiled.size >= cacheLimit) compiled.clear();
        compiled.set(expression, program);
        return program;
      },
    };
  })();
  return shared;
}

/** cel-go's words for the most common failures. */
function explain(message: string): string {
  const missing = /field not found: (.*)$/.exec(message);
  if (missing) return `no such key: ${missing[1]}`;
  if (message.includes('no matching overload')) return `no such overload: ${message}`;
  return message;
}
