import { type FieldError, invalid } from '../../api/field-error.ts';
import { namespaces } from '../../api/generated/resources.ts';
import type { V1Namespace } from '../../api/generated/types.ts';
import { qualifiedName } from '../../api/names.ts';
import { invalids } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { asLoose, type Loose } from '../draft.ts';
import { labelName, validateObjectMetaUpdate } from '../object-meta.ts';

type Namespace = Loose<V1Namespace>;

const nameLabel = 'kubernetes.io/metadata.name';

function validateFinalizers(namespace: Namespace): FieldError[] {
  return (namespace.spec?.finalizers ?? []).flatMap((finalizer) => {
    const reasons = qualifiedName(finalizer);
    if (reasons.length > 0) return invalids('spec.finalizers', finalizer, reasons);
    return !finalizer.includes('/') && finalizer !== 'kubernetes'
      ? [invalid('spec.finalizers', finalizer, 'name is neither a standard finalizer name nor is it fully qualified')]
      : [];
  });
}

const { column } = columnsOf<V1Namespace>();

export const namespaceKind = defineKind(namespaces, {
  defaults(namespace) {
    const name = namespace.metadata?.name;
    if (name && namespace.metadata) namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: name };
    namespace.spec ??= {};
    namespace.status ??= {};
    namespace.status.phase ||= 'Active';
  },
  onCreate(namespace) {
    namespace.status = { phase: 'Active' };
    namespace.spec ??= {};
    const finalizers = namespace.spec.finalizers ?? [];
    if (!finalizers.includes('kubernetes')) namespace.spec.finalizers = [...finalizers, 'kubernetes'];
    // A generated name is known only now.
    const name = namespace.metadata?.name;
    if (name && namespace.metadata) namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: name };
  },
  onUpdate(next, old) {
    next.spec ??= {};
    if (old.spec?.finalizers) next.spec.finalizers = old.spec.finalizers;
    else delete next.spec.finalizers;
  },
  validateName: labelName,
  validate: validateFinalizers,
  validateUpdate: () => [],
  validateStatus: ({ metadata = {}, status = {} }) => {
    const { phase = '' } = status;
    if (metadata.deletionTimestamp) {
      return phase === 'Terminating'
        ? []
        : [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
    }
    return phase === 'Active'
      ? []
      : [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  },
  subresources: {
    finalize: {
      prepareForUpdate(next, old) {
        const status = (old as Record<string, unknown>)['status'];
        if (status === undefined) delete next['status'];
        else next['status'] = status;
      },
      validateUpdate: (next, old) => [
        ...validateObjectMetaUpdate(next.metadata, old.metadata),
        ...validateFinalizers(asLoose<V1Namespace>(next)),
      ],
    },
  },
  selectableFields: {
    'status.phase': (it) => it.status?.phase ?? '',
    // A legacy name of the same field.
    name: (it) => it.metadata?.name ?? '',
  },
  columns: [nameColumn, column('Status', 'The status of the namespace', (it) => it.status?.phase ?? ''), ageColumn],
});
