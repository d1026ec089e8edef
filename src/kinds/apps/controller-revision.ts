import { type FieldError, required } from '../../api/field-error.ts';
import { controllerrevisions } from '../../api/generated/resources.ts';
import type { V1ControllerRevision } from '../../api/generated/types.ts';
import { nonNegative } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { immutable } from '../object-meta.ts';

type Revision = Loose<V1ControllerRevision>;

/** `statefulset.apps/web` of the owner that controls the revision. */
function controllerOf(revision: Revision): string {
  const owner = revision.metadata?.ownerReferences?.find((it) => it.controller);
  if (!owner) return '<none>';
  const group = owner.apiVersion?.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return `${owner.kind ?? ''}${group}`.toLowerCase().concat(`/${owner.name ?? ''}`);
}

function validateRevision(revision: Revision): FieldError[] {
  return nonNegative('revision', revision.revision);
}

const { column } = columnsOf<V1ControllerRevision>();

export const controllerRevisionKind = defineKind(controllerrevisions, {
  validate(revision) {
    const data = revision.data as unknown;
    const errors = validateRevision(revision);
    if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'));
    else if (typeof data !== 'object' || Array.isArray(data)) {
      errors.push(required('data', 'data must be a valid JSON object'));
    }
    return errors;
  },
  validateUpdate: (next, old) => [...validateRevision(next), ...immutable(next.data, old.data, 'data')],
  columns: [
    nameColumn,
    column('Controller', 'Controller of the object', controllerOf),
    column('Revision', 'Revision indicates the revision of the state represented by Data.', (it) => it.revision ?? 0),
    ageColumn,
  ],
});
