export type Expression =
  | { readonly t: 'number'; readonly value: number }
  | { readonly t: 'string'; readonly text: string }
  | { readonly t: 'regex'; readonly source: string }
  | { readonly t: 'name'; readonly name: string }
  | { readonly t: 'field'; readonly of: Expression }
  | { readonly t: 'item'; readonly name: string; readonly index: readonly Expression[] }
  | { readonly t: 'assign'; readonly op: string; readonly to: Expression; readonly value: Expression }
  | { readonly t: 'step'; readonly by: 1 | -1; readonly prefix: boolean; readonly of: Expression }
  | { readonly t: 'unary'; readonly op: '!' | '-' | '+'; readonly of: Expression }
  | { readonly t: 'binary'; readonly op: string; readonly left: Expression; readonly right: Expression }
  | { readonly t: 'choice'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly t: 'in'; readonly index: readonly Expression[]; readonly name: string }
  | { readonly t: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | {
      readonly t: 'getline';
      readonly from: 'input' | 'file' | 'command';
      readonly source?: Expression;
      readonly into?: Expression;
    }
  | { readonly t: 'group'; readonly items: readonly Expression[] };

export type Statement =
  | { readonly t: 'expression'; readonly value: Expression }
  | {
      readonly t: 'print' | 'printf';
      readonly args: readonly Expression[];
      readonly to?: { readonly op: '>' | '>>' | '|'; readonly target: Expression };
    }
  | { readonly t: 'block'; readonly body: readonly Statement[] }
  | { readonly t: 'if'; readonly test: Expression; readonly yes: Statement; readonly no?: Statement }
  | { readonly t: 'while'; readonly test: Expression; readonly body: Statement; readonly late: boolean }
  | {
      readonly t: 'for';
      readonly init?: Statement;
      readonly test?: Expression;
      readonly step?: Statement;
      readonly body: Statement;
    }
  | { readonly t: 'each'; readonly variable: string; readonly array: string; readonly body: Statement }
  | { readonly t: 'break' | 'continue' | 'next' | 'nextfile' }
  | { readonly t: 'exit' | 'return'; readonly value?: Expression }
  | { readonly t: 'delete'; readonly name: string; readonly index?: readonly Expression[] };

export interface Rule {
  readonly when: 'BEGIN' | 'END' | { readonly from?: Expression; readonly to?: Expression };
  /** Absent: print the record. */
  readonly body?: Statement;
  open: boolean;
}

export interface AwkProgram {
  readonly rules: readonly Rule[];
  readonly functions: ReadonlyMap<string, { readonly params: readonly string[]; readonly body: Statement }>;
}
