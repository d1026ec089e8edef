import { escaped, scalarStyle } from './yaml-scalar.ts';

/** A line longer than this is broken at its next blank. */
const bestWidth = 80;

interface Place {
  /** Characters already on the line. */
  readonly column: number;
  /** Blanks before the lines of the enclosing collection. */
  readonly indent: number;
  readonly isKey?: boolean;
}

/** Breaks at blanks past the best width, as libyaml's emitter does. `show` writes one character; `ends` says where no break may be. */
function folded(
  text: string,
  { column, indent, isKey }: Place,
  inner: boolean,
  show: (character: string) => string,
): string {
  const characters = [...text];
  const pad = ' '.repeat(indent + 2);
  let out = '';
  let at = column;
  let blanks = false;
  characters.forEach((character, i) => {
    const isBlank = character === ' ';
    const inside = !inner || (i > 0 && i < characters.length - 1);
    if (isBlank && !isKey && !blanks && at > bestWidth && inside && characters[i + 1] !== ' ') {
      out += `\n${pad}`;
      at = pad.length;
    } else {
      const shown = show(character);
      out += shown;
      at += shown.length;
    }
    blanks = isBlank;
  });
  return out;
}

function doubleQuoted(text: string, { column, indent, isKey }: Place): string {
  const characters = [...text];
  const pad = ' '.repeat(indent + 2);
  let out = '"';
  let at = column + 1;
  let blanks = false;
  characters.forEach((character, i) => {
    const isBlank = character === ' ';
    if (isBlank && !isKey && !blanks && at > bestWidth && i > 0 && i < characters.length - 1) {
      out += `\n${pad}${characters[i + 1] === ' ' ? '\\' : ''}`;
      at = pad.length + (characters[i + 1] === ' ' ? 1 : 0);
    } else {
      const shown = escaped(character);
      out += shown;
      at += shown.length;
    }
    blanks = isBlank;
  });
  return `${out}"`;
}

function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const pad = ' '.repeat(indent + 2);
  const body = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  return `|${hint}${chomp}\n${body.map((line) => (line === '' ? '' : pad + line)).join('\n')}`;
}

function scalar(value: unknown, place: Place): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'string') return String(value);
  switch (scalarStyle(value, place.isKey ?? false)) {
    case 'plain':
      return folded(value, place, false, (it) => it);
    case 'single':
      return `'${folded(value, { ...place, column: place.column + 1 }, true, (it) => (it === "'" ? "''" : it))}'`;
    case 'double':
      return doubleQuoted(value, place);
    case 'literal':
      return literal(value, place.indent);
  }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The lines of a collection; the first one without its indent, for it may stand behind a dash. */
function block(value: unknown, indent: number): string {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value)) return value.map((item) => `- ${node(item, indent + 2, indent)}`).join(`\n${pad}`);
  const map = value as Readonly<Record<string, unknown>>;
  return Object.keys(map)
    .sort()
    .map((key) => {
      const name = scalar(key, { column: indent, indent, isKey: true });
      const item = map[key];
      const nested = (Array.isArray(item) && item.length > 0) || (isMap(item) && Object.keys(item).length > 0);
      // Sequences stand under their key without a further indent.
      if (nested) {
        const inner = Array.isArray(item) ? indent : indent + 2;
        return `${name}:\n${' '.repeat(inner)}${block(item, inner)}`;
      }
      return `${name}: ${node(item, indent, indent, indent + name.length + 2)}`;
    })
    .join(`\n${pad}`);
}

/** A value in its place: collections go on at `inner`, texts that break under `indent`. */
function node(value: unknown, inner: number, indent: number, column = inner): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : block(value, inner);
  if (isMap(value)) return Object.keys(value).length === 0 ? '{}' : block(value, inner);
  return scalar(value, { column, indent });
}

/** A value as YAML in the form that `kubectl -o yaml` has: keys in order, sequences not indented, long texts broken. */
export function toYaml(value: unknown): string {
  return `${node(value, 0, 0)}\n`;
}
