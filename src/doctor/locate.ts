import { isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { Field } from './finding.ts';

/** A place in a file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A file's content, and its name as the user gave it. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** `spec.containers[0].image` as property names. */
export const pathParts = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? '') : Number(index),
  );

/** Where a field of an object stands in these files: the nearest line there is, when the field itself is not written. Pure. */
export function locate(files: readonly SourceFile[], field: Field): Place | undefined {
  for (const { file, text } of files) {
    const lines = new LineCounter();
    for (const document of parseAllDocuments(text, { lineCounter: lines })) {
      const object = document.toJS() as { kind?: string; metadata?: { name?: string; namespace?: string } } | null;
      if (object?.kind !== field.object.kind || object.metadata?.name !== field.object.name) continue;
      const { namespace } = object.metadata;
      if (namespace !== undefined && field.object.namespace !== undefined && namespace !== field.object.namespace)
        continue;
      const parts = [...pathParts(field.path)];
      for (;;) {
        const node = parts.length === 0 ? document.contents : document.getIn(parts, true);
        if (isNode(node) && node.range) {
          const { line, col } = lines.linePos(node.range[0]);
          return { file, line, column: col };
        }
        if (parts.length === 0) break;
        parts.pop();
      }
    }
  }
  return undefined;
}
