import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../api/resource.ts';
import type { Streams } from '../output.ts';
import { KubectlError } from './errors.ts';

/** An object from a file, and where it stands. */
export interface Manifest {
  readonly object: KubeObject & { readonly apiVersion: string; readonly kind: string };
  readonly source: string;
}

const extensions = /\.(ya?ml|json)$/;

function filesOf(path: string, recursive: boolean): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new KubectlError(`the path "${path}" does not exist`);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const full = join(path, entry.name);
      if (entry.isDirectory()) return recursive ? filesOf(full, true) : [];
      return extensions.test(entry.name) ? [full] : [];
    });
}

/** The objects of one YAML or JSON text; Lists are taken apart. */
export function parseManifests(content: string, source: string): readonly Manifest[] {
  return parseAllDocuments(content).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new KubectlError(`error parsing ${source}: ${error.message.split('\n')[0]}`);
    return expand(document.toJS() as unknown, source);
  });
}

function expand(value: unknown, source: string): readonly Manifest[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value))
    throw new KubectlError(`${source} holds something that is no object`);
  const object = value as KubeObject & { readonly items?: readonly unknown[] };
  const { apiVersion, kind } = object;
  if (!kind) throw new KubectlError(`error validating "${source}": error validating data: kind not set`);
  if (!apiVersion) throw new KubectlError(`error validating "${source}": error validating data: apiVersion not set`);
  if (kind.endsWith('List') && object.items) return object.items.flatMap((item) => expand(item, source));
  return [{ object: { ...object, apiVersion, kind }, source }];
}

/** Reads what `-f` names: files, directories, `-` for standard input. */
export async function readManifests(
  paths: readonly string[],
  recursive: boolean,
  streams: Streams,
): Promise<readonly Manifest[]> {
  if (paths.length === 0) throw new KubectlError('must specify one of -f and -k');
  const found: Manifest[] = [];
  for (const path of paths) {
    if (path === '-') found.push(...parseManifests(await text(streams.stdin), 'standard input'));
    else for (const file of filesOf(path, recursive)) found.push(...parseManifests(readFileSync(file, 'utf8'), file));
  }
  if (found.length === 0) throw new KubectlError('no objects passed to apply');
  return found;
}
