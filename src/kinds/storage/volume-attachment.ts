import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { volumeattachments } from '../../api/generated/resources.ts';
import type { V1VolumeAttachment } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { semanticEqual } from '../semantic-equal.ts';

type Attachment = Loose<V1VolumeAttachment>;

function validateAttachment({ spec = {} }: Attachment): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.attacher) errors.push(required('spec.attacher'));
  if (!spec.nodeName) errors.push(required('spec.nodeName'));
  const { persistentVolumeName, inlineVolumeSpec } = spec.source ?? {};
  if (persistentVolumeName === undefined && !inlineVolumeSpec) {
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  }
  return errors;
}

const { column } = columnsOf<V1VolumeAttachment>();

export const volumeAttachmentKind = defineKind(volumeattachments, {
  defaults: (it) => {
    it.status ??= {};
    it.status.attached ??= false;
  },
  onCreate: (it) => {
    it.status = { attached: false };
  },
  statusKeepsMeta: true,
  validate: validateAttachment,
  validateUpdate: (next, old) => [
    ...validateAttachment(next),
    ...(semanticEqual(next.spec, old.spec) ? [] : [invalid('spec', next.spec ?? null, 'field is immutable')]),
  ],
  columns: [
    nameColumn,
    { ...column('Attacher', 'The volume driver that attaches.', (it) => it.spec?.attacher ?? ''), format: 'name' },
    column('PV', 'The persistent volume to attach.', (it) => it.spec?.source?.persistentVolumeName ?? ''),
    column('Node', 'The node to attach to.', (it) => it.spec?.nodeName ?? ''),
    column('Attached', 'Whether the volume is attached.', (it) => it.status?.attached ?? false, 'boolean'),
    ageColumn,
  ],
});
