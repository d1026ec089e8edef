/** CEL for admission policies and the like: expressions over plain JSON. */

/** The value of an expression as JSON, or what went wrong while it was evaluated, in cel-go's words. */
export type CelOutcome =
  | { readonly value: unknown; readonly error?: undefined }
  | { readonly error: string; readonly value?: undefined };

/** A compiled expression. Variables are plain JSON values. */
export type CelProgram = (variables: Readonly<Record<string, unknown>>) => CelOutcome;

/** Compiles expressions, each once; throws `Error` where one is not well formed. */
export interface CelEngine {
  compile(expression: string): CelProgram;
}

let shared: Promise<CelEngine> | undefined;

/** The engine, loaded when the first expression needs it. */
export function loadCelEngine(): Promise<CelEngine> {
  shared ??= import('./environment.ts').then(({ compileProgram, fromCel, toCel }) => ({
    compile(expression) {
      const program = compileProgram(expression);
      return (variables) => {
        const bound = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, toCel(value)]));
        const outcome = program.run(bound);
        return outcome.error === undefined ? { value: fromCel(outcome.value) } : outcome;
      };
    },
  }));
  return shared;
}
