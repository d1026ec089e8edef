import type { KubeObject, Live, ObjectList } from '../../api/resource.ts';
import type { KindDefinition } from '../../kinds/kind.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** The object with its metadata alone, as kind PartialObjectMetadata. */
export function partialOf(object: KubeObject, version: string): KubeObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version}`,
    ...(object.metadata && { metadata: object.metadata }),
  };
}

export function partialListOf(list: ObjectList, version: string): ObjectList {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: list.metadata,
    items: list.items.map((it) => partialOf(it, version) as Live),
  };
}

/** A Table of these objects, the columns being the kind's. `now` in epoch milliseconds. */
export function tableOf(
  kind: KindDefinition,
  objects: readonly Live[],
  metadata: object,
  version: string,
  include: IncludeObject,
  now: number,
  headers = true,
): KubeObject {
  const { columns } = kind;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: headers
      ? columns.map(({ name, type, format = '', description, priority }) => ({
          name,
          type,
          format,
          description,
          priority,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      ...rowObject(object, version, include),
    })),
  } as KubeObject;
}

function rowObject(object: Live, version: string, include: IncludeObject): { readonly object?: KubeObject } {
  if (include === 'None') return {};
  return { object: include === 'Object' ? object : partialOf(object, version) };
}
