/** Selectors on fields, `metadata.name=x,status.phase!=Running`. After k8s.io/apimachinery/pkg/fields/selector.go. */
import { badRequest, type StatusError } from './status.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** The text is no field selector. The message is upstream's. */
export class FieldSelectorError extends Error {
  override readonly name = 'FieldSelectorError';
}

/** Cuts at commas that no backslash stands before. */
function splitTerms(text: string): readonly string[] {
  const terms: string[] = [];
  let start = 0;
  let escaped = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (escaped) escaped = false;
    else if (char === '\\') escaped = true;
    else if (char === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** Undoes `\\`, `\,` and `\=`. Throws `FieldSelectorError` for other escapes and for bare commas and equals signs. */
export function unescapeFieldValue(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\') {
      const next = text.charAt(++i);
      if (next === '' || !'\\,='.includes(next)) {
        throw new FieldSelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
      }
      out += next;
    } else if (char === ',' || char === '=') {
      throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else out += char;
  }
  return out;
}

/** Escapes a literal for use as a value in a field selector. */
export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, '\\$&');

/** Parses a field selector; an empty text selects everything. Throws `FieldSelectorError`. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  if (text === '') return [];
  const requirements: FieldRequirement[] = [];
  for (const term of [...splitTerms(text)].sort()) {
    if (term === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator = '=', value = ''] = match;
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescapeFieldValue(value) });
  }
  return requirements;
}

/** The 400 for a field that the resource cannot be selected by. */
export const unsupportedField = (field: string): StatusError => badRequest(`field label not supported: ${field}`);
/** The same in the form of kinds that say it themselves (`"x" is not a known field selector: only "metadata.name", "metadata.namespace"`). */
export const unknownField = (field: string): StatusError =>
  badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
/** The 400 for an unreadable `fieldSelector`. */
export const badFieldSelector = (error: FieldSelectorError): StatusError => badRequest(error.message);

/** True when every requirement holds; `read` gives a field's value, '' for an absent one. */
export function matchesFields(requirements: readonly FieldRequirement[], read: (field: string) => string): boolean {
  return requirements.every(({ field, operator, value }) => (read(field) === value) === (operator === '='));
}

export const formatFieldSelector = (requirements: readonly FieldRequirement[]): string =>
  requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(',');
