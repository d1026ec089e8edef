import type { V1CSINode, V1StorageClass } from '../../../api/generated/types.ts';
import { type Describer, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';
import { goList, inline, moment, type Page, trueFalseUnset } from './page.ts';

function topologies(page: Page, all: NonNullable<V1StorageClass['allowedTopologies']>): void {
  if (all.length === 0) {
    page.line(0, 'AllowedTopologies:', '<none>');
    return;
  }
  page.line(0, 'AllowedTopologies:', '');
  all.forEach(({ matchLabelExpressions }, i) => {
    const lines = (matchLabelExpressions ?? []).map(
      ({ key, values }) => `${key} in${values.length > 0 ? ` [${values.join(', ')}]` : ''}`,
    );
    page.list(`Term ${i}`, lines, '  ', '  ');
  });
}

const isDefault = ({ metadata }: V1StorageClass): boolean =>
  ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
    (key) => metadata?.annotations?.[key] === 'true',
  );

export const describeStorageClass: Describer<V1StorageClass> = async (page, object, around) => {
  page.line(0, 'Name:', object.metadata.name);
  page.line(0, 'IsDefaultClass:', isDefault(object) ? 'Yes' : 'No');
  page.line(0, 'Annotations:', inline(object.metadata.annotations));
  page.line(0, 'Provisioner:', object.provisioner);
  page.line(0, 'Parameters:', inline(object.parameters));
  page.line(0, 'AllowVolumeExpansion:', trueFalseUnset(object.allowVolumeExpansion));
  if (!object.mountOptions?.length) page.line(0, 'MountOptions:', '<none>');
  else page.line(0, 'MountOptions:');
  for (const option of object.mountOptions ?? []) page.line(1, option);
  if (object.reclaimPolicy) page.line(0, 'ReclaimPolicy:', object.reclaimPolicy);
  if (object.volumeBindingMode) page.line(0, 'VolumeBindingMode:', object.volumeBindingMode);
  if (object.allowedTopologies) topologies(page, object.allowedTopologies);
  await ownEvents(page, object, around);
};

export const describeCsiNode: Describer<V1CSINode> = async (page, object, around) => {
  page.line(0, 'Name:', object.metadata.name);
  labelsAndAnnotations(page, object.metadata);
  page.line(0, 'CreationTimestamp:', moment(object.metadata.creationTimestamp));
  page.line(0, 'Spec:');
  if (object.spec.drivers) page.line(1, 'Drivers:');
  for (const { name, nodeID, allocatable, topologyKeys } of object.spec.drivers ?? []) {
    page.line(2, `${name}:`);
    page.line(3, 'Node ID:', nodeID);
    if (allocatable?.count !== undefined) {
      page.line(3, 'Allocatables:');
      page.line(4, 'Count:', allocatable.count);
    }
    if (topologyKeys) page.line(3, 'Topology Keys:', goList(topologyKeys));
  }
  await ownEvents(page, object, around);
};
