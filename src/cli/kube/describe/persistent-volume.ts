import type { V1PersistentVolume } from '../../../api/generated/types.ts';
import { accessModes } from './claim-lines.ts';
import { type Describer, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import { goList, type Page, since } from './page.ts';
import { volumeSource } from './volumes.ts';

function nodeAffinity(page: Page, affinity: NonNullable<V1PersistentVolume['spec']>['nodeAffinity']): void {
  if (!affinity?.required) {
    page.line(0, 'Node Affinity:', '<none>');
    return;
  }
  page.line(0, 'Node Affinity:', '');
  const terms = affinity.required.nodeSelectorTerms;
  page.line(1, 'Required Terms:', terms.length === 0 ? '<none>' : '');
  terms.forEach((term, i) => {
    const lines = (term.matchExpressions ?? []).map(
      ({ key, operator, values }) =>
        `${key} ${operator.toLowerCase()}${values?.length ? ` [${values.join(', ')}]` : ''}`,
    );
    page.list(`Term ${i}`, lines, '    ', '    ');
  });
}

export const describePersistentVolume: Describer<V1PersistentVolume> = async (page, object, around) => {
  const { metadata, spec, status } = object;
  page.line(0, 'Name:', metadata.name);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Finalizers:', goList(metadata.finalizers));
  const annotated = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
  page.line(0, 'StorageClass:', annotated ?? spec?.storageClassName ?? '');
  const leaving = metadata.deletionTimestamp;
  page.line(0, 'Status:', leaving ? `Terminating (lasts ${since(leaving, around.now)})` : (status?.phase ?? ''));
  page.line(0, 'Claim:', spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : '');
  page.line(0, 'Reclaim Policy:', spec?.persistentVolumeReclaimPolicy ?? '');
  page.line(0, 'Access Modes:', accessModes(spec?.accessModes));
  if (spec?.volumeMode) page.line(0, 'VolumeMode:', spec.volumeMode);
  page.line(0, 'Capacity:', spec?.capacity?.['storage'] ?? '0');
  nodeAffinity(page, spec?.nodeAffinity);
  page.line(0, 'Message:', status?.message ?? '');
  page.line(0, 'Source:');
  volumeSource(page, spec ?? {});
  await ownEvents(page, object, around);
};
