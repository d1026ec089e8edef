/** A shell word: parts that are expanded and joined. */
export type Word = readonly WordPart[];

export type WordPart =
  | { readonly t: 'lit'; readonly v: string; readonly q: boolean }
  | {
      readonly t: 'var';
      readonly name: string;
      /** `[index]` of an array element. */
      readonly index?: Word;
      /** `:-`, `-`, `#`, `%%`, `/`, `^^`, `:` (substring), `len`, `!` … */
      readonly op?: string;
      readonly arg?: Word;
      /** The replacement of `/`, the length of a substring. */
      readonly arg2?: Word;
      readonly q: boolean;
    }
  | { readonly t: 'cmd'; readonly body: Script; readonly q: boolean }
  | { readonly t: 'arith'; readonly expr: Word; readonly q: boolean }
  | { readonly t: 'proc'; readonly body: Script; readonly dir: '<' | '>' };

export interface Redirect {
  readonly fd: number | undefined;
  readonly op: '<' | '>' | '>>' | '<>' | '>|' | '<&' | '>&' | '<<' | '<<<' | '&>' | '&>>';
  /** Of a here-document: its body. */
  readonly target: Word;
}

export interface Assignment {
  readonly name: string;
  readonly index?: Word;
  readonly append: boolean;
  readonly value: Word;
  readonly array?: readonly Word[];
}

export type Command =
  | {
      readonly t: 'simple';
      readonly assigns: readonly Assignment[];
      readonly words: readonly Word[];
      readonly redirs: readonly Redirect[];
      readonly line: number;
    }
  | { readonly t: 'group' | 'subshell'; readonly body: Script; readonly redirs: readonly Redirect[] }
  | {
      readonly t: 'if';
      readonly arms: readonly { readonly test: Script; readonly body: Script }[];
      readonly otherwise: Script | undefined;
      readonly redirs: readonly Redirect[];
    }
  | {
      readonly t: 'while';
      readonly until: boolean;
      readonly test: Script;
      readonly body: Script;
      readonly redirs: readonly Redirect[];
    }
  | {
      readonly t: 'for';
      readonly name: string;
      readonly words: readonly Word[] | undefined;
      readonly body: Script;
      readonly redirs: readonly Redirect[];
    }
  | {
      readonly t: 'cfor';
      readonly parts: readonly [Word, Word, Word];
      readonly body: Script;
      readonly redirs: readonly Redirect[];
    }
  | {
      readonly t: 'case';
      readonly word: Word;
      readonly arms: readonly {
        readonly patterns: readonly Word[];
        readonly body: Script;
        readonly end: ';;' | ';&' | ';;&';
      }[];
      readonly redirs: readonly Redirect[];
    }
  | { readonly t: 'function'; readonly name: string; readonly body: Command; readonly redirs: readonly Redirect[] }
  | { readonly t: 'arith'; readonly expr: Word; readonly redirs: readonly Redirect[] }
  | { readonly t: 'cond'; readonly words: readonly CondToken[]; readonly redirs: readonly Redirect[] };

/** A token of `[[ … ]]`: operators bare, operands as words. */
export type CondToken = { readonly op: string } | { readonly word: Word };

export interface Pipeline {
  readonly negate: boolean;
  readonly commands: readonly Command[];
}

export interface AndOr {
  readonly first: Pipeline;
  readonly rest: readonly { readonly op: '&&' | '||'; readonly pipeline: Pipeline }[];
  readonly background: boolean;
}

export type Script = readonly AndOr[];
