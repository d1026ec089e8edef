import type { KubeObject } from '../api/resource.ts';
import type { Loose } from './draft.ts';
import { ageOf } from './human-duration.ts';
import type { Column } from './kind.ts';

const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const ageDescription =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: nameDescription,
  priority: 0,
  cell: (object) => object.metadata?.name ?? '',
};

/** A column whose cell is how long ago the object was made. */
export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: ageDescription,
  priority: 0,
  cell: (object, now) => ageOf(object.metadata?.creationTimestamp, now),
};

export const nameAndAge: readonly Column[] = [nameColumn, ageColumn];

type Cell<T> = (object: Loose<T>, now: number) => unknown;

/** Columns for objects of type T, shown always (`column`) or with `-o wide` (`wide`). */
export interface ColumnMaker<T> {
  column(name: string, description: string, cell: Cell<T>, type?: Column['type']): Column;
  wide(name: string, description: string, cell: Cell<T>, type?: Column['type']): Column;
}

export function columnsOf<T extends KubeObject>(): ColumnMaker<T> {
  const make =
    (priority: number) =>
    (name: string, description: string, cell: Cell<T>, type: Column['type'] = 'string'): Column => ({
      name,
      type,
      description,
      priority,
      cell: (object, now) => cell(object as unknown as Loose<T>, now),
    });
  return { column: make(0), wide: make(1) };
}
