import { csidrivers } from '../../api/generated/resources.ts';
import type { V1CSIDriver } from '../../api/generated/types.ts';
import { optionalOneOf } from '../checks.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { immutable } from '../object-meta.ts';

const { column } = columnsOf<V1CSIDriver>();

export const csiDriverKind = defineKind(csidrivers, {
  defaults(driver) {
    driver.spec ??= {};
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if ((spec.volumeLifecycleModes?.length ?? 0) === 0) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  validate: ({ spec = {} }) => [
    ...optionalOneOf('spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType']),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
      optionalOneOf('spec.volumeLifecycleModes', mode, ['Ephemeral', 'Persistent']),
    ),
  ],
  validateUpdate: (next, old) => [
    ...immutable(next.spec?.attachRequired, old.spec?.attachRequired, 'spec.attachedRequired'),
    ...immutable(next.spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
  ],
  columns: [
    nameColumn,
    column('AttachRequired', 'Whether volumes must be attached.', (it) => it.spec?.attachRequired ?? true, 'boolean'),
    column(
      'PodInfoOnMount',
      'Whether mounts get pod information.',
      (it) => it.spec?.podInfoOnMount ?? false,
      'boolean',
    ),
    column('StorageCapacity', 'Whether capacity is considered.', (it) => it.spec?.storageCapacity ?? false, 'boolean'),
    column(
      'TokenRequests',
      'The audiences of tokens for mounts.',
      (it) => it.spec?.tokenRequests?.map((token) => token.audience ?? '').join(',') ?? '<unset>',
    ),
    column('RequiresRepublish', 'Whether mounts are renewed.', (it) => it.spec?.requiresRepublish ?? false, 'boolean'),
    column('Modes', 'The kinds of volumes supported.', (it) => it.spec?.volumeLifecycleModes?.join(',') || '<none>'),
    ageColumn,
  ],
});
