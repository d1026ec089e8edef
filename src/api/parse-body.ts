/** Request bodies: JSON and YAML to plain values, with upstream's words for what is malformed and for repeated fields. */
import { parseAllDocuments, parseDocument, visit } from 'yaml';
import type { Draft } from './draft.ts';
import { isRecord } from './draft.ts';
import { goJsonKind } from './go-format.ts';
import { badRequest, type StatusError } from './status.ts';

export interface ParsedBody {
  readonly value: unknown;
  /** `duplicate field "spec.x"`, where looked for. */
  readonly duplicates: readonly string[];
}

const mostDuplicates = 100;
/**
 * Objects and lists inside one another. Go's decoder takes 10,000, more than any object needs; this many can be walked by every part of the
 * server without running out of stack.
 */
const deepest = 1000;

const quote = 0x22;
const backslash = 0x5c;

/** The index after the string that begins at `start`. The text is valid JSON. */
function afterString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = end - 1;
    while (text.charCodeAt(slashes) === backslash) slashes--;
    // A quote behind an odd number of backslashes belongs to the string.
    if ((end - slashes) % 2 === 1) return end + 1;
  }
}

interface Level {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  label: string;
  index: number;
}

function pathTo(stack: readonly Level[], key: string): string {
  let path = '';
  for (const level of stack.slice(0, -1)) {
    path += level.keys ? `${path === '' ? '' : '.'}${level.label}` : `[${level.index}]`;
  }
  return path === '' ? key : `${path}.${key}`;
}

/** True where objects and lists stand deeper inside one another than the server can walk. The text is valid JSON. */
function isTooDeep(text: string): boolean {
  if (text.length <= 2 * deepest) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === quote) at = afterString(text, at) - 1;
    else if (char === 0x7d || char === 0x5d) depth--;
    else if ((char === 0x7b || char === 0x5b) && ++depth > deepest) return true;
  }
  return false;
}

/** Walks JSON text that JSON.parse has accepted and names the fields that an object has twice. */
function jsonDuplicates(text: string): readonly string[] {
  let found: string[] | undefined;
  const stack: Level[] = [];
  let top: Level | undefined;
  let expectKey = false;
  const { length } = text;
  for (let at = 0; at < length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = afterString(text, at);
        if (expectKey && top?.keys) {
          const literal = text.slice(at + 1, end - 1);
          const key = literal.includes('\\') ? (JSON.parse(text.slice(at, end)) as string) : literal;
          if (top.keys.has(key)) {
            const message = `duplicate field "${pathTo(stack, key)}"`;
            found ??= [];
            if (found.length < mostDuplicates && !found.includes(message)) found.push(message);
          }
          top.keys.add(key);
          top.label = key;
          expectKey = false;
        }
        at = end - 1;
        break;
      }
      case 0x7b: // {
        top = { keys: new Set(), label: '', index: 0 };
        stack.push(top);
        expectKey = true;
        break;
      case 0x5b: // [
        top = { keys: undefined, label: '', index: 0 };
        stack.push(top);
        expectKey = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        stack.pop();
        top = stack.at(-1);
        expectKey = false;
        break;
      case 0x2c: // ,
        if (top?.keys) expectKey = true;
        else if (top) top.index++;
        break;
    }
  }
  return found ?? none;
}

const none: readonly string[] = [];

const show = (char: string): string => (char === "'" ? "'\\''" : char === '"' ? `'"'` : `'${char}'`);

/** Go's account of malformed JSON: the first byte that cannot stand where it stands. */
export function jsonSyntaxError(text: string): string {
  const wanted: ('value' | 'value-or-end' | 'key-or-end' | 'key' | 'colon' | 'after-key-value' | 'after-element')[] = [
    'value',
  ];
  let at = 0;
  const eof = 'unexpected end of JSON input';
  const literal = (word: string): string | undefined => {
    for (let i = 1; i < word.length; i++) {
      const char = text[at + i];
      if (char === undefined) return eof;
      if (char !== word[i])
        return `invalid character ${show(char)} in literal ${word} (expecting ${show(word[i] ?? '')})`;
    }
    at += word.length;
    return undefined;
  };
  const string = (): string | undefined => {
    at++;
    for (;;) {
      const char = text[at];
      if (char === undefined) return eof;
      if (char === '"') break;
      if (char.charCodeAt(0) < 0x20)
        return `invalid character ${JSON.stringify(char).replace(/^"|"$/g, "'")} in string literal`;
      if (char === '\\') {
        at++;
        const escaped = text[at];
        if (escaped === undefined) return eof;
        if (!'"\\/bfnrtu'.includes(escaped)) return `invalid character ${show(escaped)} in string escape code`;
        if (escaped === 'u') {
          for (let i = 0; i < 4; i++) {
            at++;
            const hex = text[at];
            if (hex === undefined) return eof;
            if (!/[0-9a-fA-F]/.test(hex)) return `invalid character ${show(hex)} in \\u hexadecimal character escape`;
          }
        }
      }
      at++;
    }
    at++;
    return undefined;
  };
  while (wanted.length > 0 && wanted.length < deepest) {
    while (text[at] !== undefined && /[ \t\r\n]/.test(text[at] ?? '')) at++;
    const char = text[at];
    if (char === undefined) return eof;
    const want = wanted.pop();
    let fault: string | undefined;
    if (want === 'colon') {
      if (char !== ':') return `invalid character ${show(char)} after object key`;
      at++;
      wanted.push('value');
    } else if (want === 'after-key-value' || want === 'after-element') {
      const close = want === 'after-key-value' ? '}' : ']';
      at++;
      if (char === ',') {
        wanted.push(want);
        if (want === 'after-key-value') wanted.push('colon', 'key');
        else wanted.push('value');
      } else if (char !== close) {
        return `invalid character ${show(char)} after ${want === 'after-key-value' ? 'object key:value pair' : 'array element'}`;
      }
    } else if (want === 'key' || want === 'key-or-end') {
      if (char === '}' && want === 'key-or-end') {
        at++;
        wanted.splice(-2);
      } else if (char === '"') fault = string();
      else return `invalid character ${show(char)} looking for beginning of object key string`;
    } else if (char === ']' && want === 'value-or-end') {
      at++;
      wanted.pop();
    } else if (char === '{') {
      at++;
      wanted.push('after-key-value', 'colon', 'key-or-end');
    } else if (char === '[') {
      at++;
      wanted.push('after-element', 'value-or-end');
    } else if (char === '"') fault = string();
    else if (char === 't') fault = literal('true');
    else if (char === 'f') fault = literal('false');
    else if (char === 'n') fault = literal('null');
    else {
      const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(at, at + 400));
      if (!number)
        return `invalid character ${show(char)} ${char === '-' ? 'in numeric literal' : 'looking for beginning of value'}`;
      at += number[0].length;
    }
    if (fault) return fault;
  }
  while (text[at] !== undefined && /[ \t\r\n]/.test(text[at] ?? '')) at++;
  const rest = text[at];
  return rest === undefined ? 'exceeded max depth' : `invalid character ${show(rest)} after top-level value`;
}

export interface ParseOptions {
  readonly findDuplicates?: boolean;
  /** The kind that the path serves; then errors read as the API's answer to a create or update. */
  readonly kind?: string;
}

/** The first bytes of a body, for error messages (endpoints/handlers/rest.go summarizeData). */
function summary(text: string): string {
  if (text === '') return '<empty>';
  if (text.startsWith('{')) return text.length > 30 ? `${text.slice(0, 30)} ...` : text;
  const bytes = Buffer.from(text);
  return bytes.length > 30 ? `${bytes.subarray(0, 30).toString('hex')} ...` : bytes.toString('hex');
}

const malformed = (fault: string, text: string, options: ParseOptions): StatusError => {
  const message = `couldn't get version/kind; json parse error: ${fault}`;
  return badRequest(
    options.kind === undefined
      ? message
      : `the object provided is unrecognized (must be of type ${options.kind}): ${message} (${summary(text)})`,
  );
};

/** JSON text to a value. Throws `StatusError` 400 with upstream's text for malformed JSON. */
export function parseJson(text: string, options: ParseOptions = {}): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed(jsonSyntaxError(text), text, options);
  }
  if (isTooDeep(text)) throw malformed('exceeded max depth', text, options);
  return { value, duplicates: options.findDuplicates ? jsonDuplicates(text) : [] };
}

/** YAML 1.1 text to a value, as sigs.k8s.io/yaml reads it: times stay text. Throws `StatusError` 400. */
export function parseYaml(text: string, options: ParseOptions = {}): ParsedBody {
  const document = parseDocument(text, {
    version: '1.1',
    schema: 'yaml-1.1',
    merge: true,
    uniqueKeys: false,
    customTags: (tags) =>
      tags.filter(
        (tag) => tag !== 'timestamp' && !(typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:timestamp'),
      ),
    prettyErrors: false,
    logLevel: 'silent',
  });
  const fault = document.errors[0];
  if (fault) {
    const line = text.slice(0, fault.pos[0]).split('\n').length;
    throw malformed(`error converting YAML to JSON: yaml: line ${line}: ${fault.message}`, text, options);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    throw malformed(
      `error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : String(error)}`,
      text,
      options,
    );
  }
  const duplicates: string[] = [];
  if (options.findDuplicates) {
    visit(document, {
      Map(_, node) {
        const seen = new Set<string>();
        for (const pair of node.items) {
          const key = String(pair.key);
          if (seen.has(key) && key !== '<<' && duplicates.length < mostDuplicates) {
            const range = (pair.key as { readonly range?: readonly number[] } | null)?.range;
            const line = text.slice(0, range?.[0] ?? 0).split('\n').length;
            duplicates.push(`yaml: unmarshal errors:\n  line ${line}: key "${key}" already set in map`);
          }
          seen.add(key);
        }
      },
    });
  }
  if (isDeeper(value, deepest)) throw malformed('exceeded max depth', text, options);
  return { value: jsonSafe(value), duplicates };
}

function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return limit === 0 || Object.values(value).some((it) => isDeeper(it, limit - 1));
}

/** YAML can hold what JSON cannot (dates, NaN, non-string keys): those become text, as in sigs.k8s.io/yaml. */
function jsonSafe(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSafe);
  if (value instanceof Map) return jsonSafe(Object.fromEntries(value));
  if (isRecord(value)) {
    for (const key of Object.keys(value)) value[key] = jsonSafe(value[key]);
    return value;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return Number(value);
  return value === undefined ? null : value;
}

/** Every document of a YAML (or JSON) stream, empty ones left out. Throws `StatusError` 400. */
export function parseYamlDocuments(text: string): readonly unknown[] {
  return parseAllDocuments(text, { logLevel: 'silent' })
    .map((document) => parseYaml(String(document)).value)
    .filter((value) => value !== null);
}

/** A parsed body as an object. Throws `StatusError` 400 for lists and scalars. */
export function asObject(value: unknown): Draft {
  if (isRecord(value)) return value;
  throw badRequest(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${goJsonKind(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
  );
}

/** `strict decoding error: unknown field "a", duplicate field "b"` (runtime.NewStrictDecodingError). */
export const strictDecodingError = (errors: readonly string[]): string => `strict decoding error: ${errors.join(', ')}`;
