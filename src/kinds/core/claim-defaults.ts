import type { V1PersistentVolumeClaimSpec } from '../../api/generated/types.ts';
import type { Loose } from '../draft.ts';

/** Defaults of a volume claim, also where it stands in a template. */
export function defaultClaimSpec(spec: Loose<V1PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= 'Filesystem';
  spec.resources ??= {};
  // The older dataSource and its successor say the same for the kinds that both can name (NormalizeDataSources).
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  else if (!dataSource && dataSourceRef && !dataSourceRef.namespace) spec.dataSource = { ...dataSourceRef };
}
