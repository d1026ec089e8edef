import { JsonPathError, parseJsonPath, printJsonPath } from '../../api/json-path.ts';
import type { KubeObject } from '../../api/resource.ts';
import { customColumns } from './custom-columns.ts';
import { KubectlError } from './errors.ts';
import { toYaml } from './yaml-writer.ts';

export interface Printed {
  /** The value of -o. */
  readonly output: string;
  /** What json, yaml and jsonpath are given: the object, or the list of them. */
  readonly whole: object;
  readonly items: readonly KubeObject[];
  /** `deployment.apps/web`. */
  readonly nameOf: (item: KubeObject) => string;
  readonly noHeaders?: boolean;
}

/** Maps with their keys in order, as Go writes them. */
export function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const map = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, withSortedKeys(map[key])]),
  );
}

/** Go's JSON also escapes what could end a script element. */
const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

export const toJson = (value: unknown): string =>
  `${JSON.stringify(withSortedKeys(value), null, 4).replace(/[<>&]/g, (it) => escapes[it] ?? it)}\n`;

function jsonPathText(template: string, whole: object): string {
  try {
    return printJsonPath(parseJsonPath(template), whole);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new KubectlError(`error parsing jsonpath ${template}, ${error.message}`);
  }
}

const formats =
  'custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml';

/** The objects in the format that -o names. Throws `KubectlError` for a format there is none of. */
export function printObjects({ output, whole, items, nameOf, noHeaders }: Printed): string {
  const equals = output.indexOf('=');
  const format = equals < 0 ? output : output.slice(0, equals);
  const argument = equals < 0 ? undefined : output.slice(equals + 1);
  switch (format) {
    case 'json':
      return toJson(whole);
    case 'yaml':
      return toYaml(whole);
    case 'name':
      return items.map((item) => `${nameOf(item)}\n`).join('');
    case 'jsonpath':
      if (!argument) throw new KubectlError('template format specified but no template given');
      return jsonPathText(argument, whole);
    case 'custom-columns':
      if (!argument) throw new KubectlError('custom-columns format specified but no custom columns given');
      return customColumns(argument, items, noHeaders ?? false);
    case 'go-template':
    case 'go-template-file':
    case 'template':
    case 'templatefile':
      throw new KubectlError('Go templates are not available here; use kubectl, or -o jsonpath=… or custom-columns=…');
    default:
      throw new KubectlError(
        `unable to match a printer suitable for the output format "${output}", allowed formats are: ${formats}`,
      );
  }
}
